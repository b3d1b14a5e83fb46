import { timeMs } from '../../schemas/timestamps.ts';
import { isConditionTrue } from '../../schemas/conditions.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { isTerminal, isTerminating } from '../pod-state.ts';

/** Index value of pods that have ended and are still kept for their logs and status. */
export const terminated = 'terminated';

/** Index by what pod garbage collection asks: the node, and whether the pod has ended. */
export const garbageIndex = (pod: Pod): readonly string[] => [
  ...(pod.spec.nodeName ? [`node/${pod.spec.nodeName}`] : []),
  ...(isTerminal(pod) && !isTerminating(pod) ? [terminated] : []),
];

/** Set by people, or by who fences machines: this one is off, and nothing of it runs. */
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/** Nobody is left to stop the pods of this node: it is said to be off, and does not say otherwise itself. */
export const isOutOfService = ({ spec, status }: Node): boolean =>
  (spec?.taints ?? []).some(({ key }) => key === outOfServiceTaint) && !isConditionTrue(status?.conditions, 'Ready');

/** Ended pods beyond the bound: those that were evicted first, then the oldest. */
export const surplusPods = (pods: readonly Pod[], bound: number): readonly Pod[] => {
  if (pods.length <= bound) return [];
  const evicted = (pod: Pod): number => (pod.status?.reason === 'Evicted' ? 0 : 1);
  const createdMs = (pod: Pod): number => timeMs(pod.metadata.creationTimestamp) ?? 0;
  return pods.toSorted((a, b) => evicted(a) - evicted(b) || createdMs(a) - createdMs(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .slice(0, pods.length - bound);
};
