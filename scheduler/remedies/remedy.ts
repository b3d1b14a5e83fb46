import type { Cluster } from '../cluster.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';

/**
 * What would have to change so that a filter lets the pod onto one of these nodes, all of which it refuses: sentences for
 * people, each a way out of its own. Reads and changes nothing.
 */
export type Remedy = (pod: PodInfo, refused: readonly NodeInfo[], cluster: Cluster) => readonly string[];

const shownNames = 5;

/** `a`, `a and b`, `a, b and c`; of many only the first ones by name, and how many more. */
export const namesText = (names: readonly string[], word: 'and' | 'or' = 'and'): string => {
  const sorted = [...names].sort();
  const shown = sorted.slice(0, shownNames);
  const rest = sorted.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} ${word} ${rest} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} ${word} ${shown.at(-1)}`;
};

export const nodesText = (count: number): string => (count === 1 ? '1 node' : `${count} nodes`);
