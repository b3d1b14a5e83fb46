import { timeMs } from '../../schemas/timestamps.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { tolerates } from '../../schemas/tolerations.ts';
import type { Taint } from '../../schemas/types/affinity.ts';

export const noExecute = (taints: readonly Taint[] | undefined): readonly Taint[] => (taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/**
 * When a pod must leave a node with these NoExecute taints, in Unix milliseconds; undefined: never. The time of a taint
 * counts from when it came (`sinceMs` for one that does not say), for a pod that came later from when that was made.
 */
export const leavesAtMs = (pod: Pod, taints: readonly Taint[], sinceMs: number): number | undefined => {
  let earliest: number | undefined;
  for (const taint of taints) {
    const matching = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    const fromMs = Math.max(timeMs(taint.timeAdded) ?? sinceMs, timeMs(pod.metadata.creationTimestamp) ?? 0);
    const limits = matching.flatMap(({ tolerationSeconds }) => (tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)]));
    if (matching.length > 0 && limits.length === 0) continue;
    const atMs = matching.length === 0 ? 0 : fromMs + Math.min(...limits) * 1000;
    earliest = Math.min(earliest ?? atMs, atMs);
  }
  return earliest;
};
