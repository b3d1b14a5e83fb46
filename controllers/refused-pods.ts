/**
 * Pods that a node would not take: they failed before anything of them ran. A template that no node takes would else be
 * made into pods as fast as the nodes refuse them, some hundred a minute. Kubernetes has this for the pods of DaemonSets
 * alone. Pure; what is there tells how often it went wrong, so that a restart forgets nothing.
 */
import { backoffMs } from '../client/backoff.ts';
import { conditionOf } from '../schemas/conditions.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { timeMs } from '../schemas/timestamps.ts';

const delays = { firstMs: 1_000, longestMs: 300_000, jitter: 0, random: () => 0 } as const;

/** A pod whose name the next one must have leaves no count behind: each waits as long as the one before it. */
const sameNameMs = 10_000;

/** Failed, for a reason that the node gave, without a container that was ever made. */
export const wasRefused = ({ status }: Pod): boolean =>
  status?.phase === 'Failed' && (status.reason ?? '') !== '' && [...status.initContainerStatuses ?? [], ...status.containerStatuses ?? []].length === 0;

const refusedAtMs = ({ metadata, status }: Pod): number =>
  timeMs(conditionOf(status?.conditions, 'Ready')?.lastTransitionTime) ?? timeMs(metadata.creationTimestamp) ?? 0;

/** How long an owner of so many pods is to wait before it makes others: 1 s after all were refused once, doubling to 5 minutes. */
export const refusedWaitMs = (pods: readonly Pod[], wanted: number, nowMs: number): number => {
  const refused = pods.filter(wasRefused);
  if (refused.length === 0) return 0;
  const rounds = Math.ceil(refused.length / Math.max(1, wanted));
  return Math.max(0, Math.max(...refused.map(refusedAtMs)) + backoffMs(rounds, delays) - nowMs);
};

/** How long a pod stays before another of its name takes its place; 0 for one that was not refused. */
export const refusedStayMs = (pod: Pod, nowMs: number): number => (wasRefused(pod) ? Math.max(0, refusedAtMs(pod) + sameNameMs - nowMs) : 0);
