/**
 * Which pods go first when there are too many: those that serve least and cost least to lose. The order is that of
 * Kubernetes' ReplicaSets; ages are compared by the logarithm of their seconds, so that of pods of about the same age not
 * always the youngest goes.
 */
import { timeMs } from '../../schemas/timestamps.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { isReady, readySinceMs } from '../pod-state.ts';

export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

const phases: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Between -2^31 and 2^31-1; anything else counts as 0. */
const deletionCost = (pod: Pod): number => {
  const text = pod.metadata.annotations?.[deletionCostAnnotation];
  if (text === undefined || !/^(0|-?[1-9]\d{0,9})$/.test(text)) return 0;
  const cost = Number(text);
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0;
};

const restarts = (pod: Pod): number => Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));

/** Integer logarithm of an age in seconds; younger is smaller. */
const ageRank = (sinceMs: number, nowMs: number): number => Math.floor(Math.log2(Math.max(1, (nowMs - sinceMs) / 1000)));

interface Ranked {
  readonly pod: Pod;
  /** Smaller goes first; compared from the first number on. */
  readonly ranks: readonly number[];
}

/**
 * The pods, first to be deleted first. `related` are the pods whose nodes count for «doubled up»: those of all
 * ReplicaSets of the same owner.
 */
export const inDeletionOrder = (pods: readonly Pod[], related: readonly Pod[], nowMs: number): readonly Pod[] => {
  const onNode = new Map<string, number>();
  for (const { spec } of related) if (spec?.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  const ranked = pods.map((pod): Ranked => {
    const node = pod.spec?.nodeName;
    const readyMs = readySinceMs(pod);
    return {
      pod,
      ranks: [
        node ? 1 : 0,
        phases[pod.status?.phase ?? 'Pending'] ?? 0,
        isReady(pod) ? 1 : 0,
        deletionCost(pod),
        -(onNode.get(node ?? '') ?? 0),
        readyMs === undefined ? 0 : ageRank(readyMs, nowMs),
        -restarts(pod),
        ageRank(timeMs(pod.metadata.creationTimestamp) ?? nowMs, nowMs),
      ],
    };
  });
  return ranked.sort((a, b) => {
    for (const [index, rank] of a.ranks.entries()) if (rank !== b.ranks[index]!) return rank - b.ranks[index]!;
    return (a.pod.metadata.uid ?? '') < (b.pod.metadata.uid ?? '') ? -1 : 1;
  }).map(({ pod }) => pod);
};
