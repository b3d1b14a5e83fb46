import { timeMs } from '../schemas/timestamps.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';

/** Will never run again: its containers have ended for good. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Was asked to go. */
export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Counts as one of the pods that were asked for. */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !isTerminating(pod);

const readyCondition = (pod: Pod) => pod.status?.conditions?.find((condition) => condition.type === 'Ready');

export const isReady = (pod: Pod): boolean => readyCondition(pod)?.status === 'True';

/** Unix milliseconds since when the pod is ready; undefined when it is not. A condition without a time counts as old. */
export const readySinceMs = (pod: Pod): number | undefined => {
  const condition = readyCondition(pod);
  return condition?.status === 'True' ? (timeMs(condition.lastTransitionTime) ?? 0) : undefined;
};

/** Milliseconds until a pod has been ready for minReadySeconds: 0 when it is available, undefined when it is not ready. */
export const availableInMs = (pod: Pod, minReadySeconds: number, nowMs: number): number | undefined => {
  const sinceMs = readySinceMs(pod);
  return sinceMs === undefined ? undefined : Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
};
