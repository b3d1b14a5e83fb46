import type { Wake } from './framework.ts';

/** Why no node took a pod. */
export interface Refusal {
  readonly nodeCount: number;
  /** How many nodes were refused for each reason. One that lacks several things counts for each. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Why no node was even looked at. */
  readonly precluded?: string;
  /** Nodes that refuse the pod whoever leaves them. */
  readonly lasting: number;
  /** What could change it. */
  readonly wokenBy: ReadonlySet<Wake>;
}

/** The refusal in a line, in the words that users of Kubernetes know. */
export const explain = ({ nodeCount, reasons, precluded }: Pick<Refusal, 'nodeCount' | 'reasons' | 'precluded'>): string => {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  if (precluded !== undefined) return `0/${nodeCount} nodes are available: ${precluded}.`;
  const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${parts.join(', ')}.`;
};
