import { rfc3339 } from '../../base/clock.ts';
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../../schemas/kinds/apps/replica-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { conditionOf, withCondition, withoutCondition } from '../../schemas/conditions.ts';
import { labelMatcher, mapMatcher } from '../../schemas/label-selector.ts';
import { isControlledBy } from '../../schemas/owners.ts';
import { nonZero } from '../non-zero.ts';
import { claim, type Claim } from '../ownership.ts';
import type { PodFailure } from '../pod-control.ts';
import { availableInMs, isActive, isReady, isTerminal, isTerminating } from '../pod-state.ts';
import { refusedWaitMs } from '../refused-pods.ts';
import { inDeletionOrder } from './deletion-order.ts';

export interface ReplicaSetState {
  readonly replicaSet: ReplicaSet;
  /** Pods that the ReplicaSet owns and pods of its namespace that nobody owns. */
  readonly candidates: readonly Pod[];
  /** Active pods of this and of all ReplicaSets of the same owner. */
  readonly related: readonly Pod[];
  /** UIDs of pods whose deletion was asked for, though the candidates may not show it yet. */
  readonly leaving: ReadonlySet<string>;
  readonly nowMs: number;
}

export interface ReplicaSetPlan {
  readonly adopt: readonly Pod[];
  readonly release: readonly Pod[];
  /** Pods to make. */
  readonly create: number;
  /** Pods to delete, in this order. */
  readonly remove: readonly Pod[];
  /** All pods that belong to the ReplicaSet once the steps are done, but for the new ones. */
  readonly pods: readonly Pod[];
  /** When to look again because nodes refused pods a moment ago. */
  readonly afterMs?: number;
}

/** At most this many pods are made or deleted in one go, so that one ReplicaSet does not hold up the others. */
export const burst = 500;

/** The next steps of a ReplicaSet: one that is being deleted keeps what it has. Making and deleting never come together. */
export const planReplicaSet = (state: ReplicaSetState): ReplicaSetPlan => {
  const { replicaSet, candidates, related, leaving, nowMs } = state;
  const present = candidates.filter((pod) => !leaving.has(pod.metadata.uid ?? ''));
  const claimed: Claim<Pod> = claim(replicaSet, labelMatcher(replicaSet.spec?.selector), present.filter((pod) => !isTerminal(pod)));
  const pods = [...claimed.keep, ...claimed.adopt];
  const steps = { adopt: claimed.adopt, release: claimed.release, create: 0, remove: [] as readonly Pod[], pods };
  if (replicaSet.metadata.deletionTimestamp !== undefined) return steps;
  const active = pods.filter(isActive);
  const missing = (replicaSet.spec?.replicas ?? 1) - active.length;
  if (missing > 0) {
    const afterMs = refusedWaitMs(present.filter((pod) => isControlledBy(pod, replicaSet)), replicaSet.spec?.replicas ?? 1, nowMs);
    return afterMs > 0 ? { ...steps, afterMs } : { ...steps, create: Math.min(missing, burst) };
  }
  if (missing === 0) return steps;
  return { ...steps, remove: inDeletionOrder(active, related, nowMs).slice(0, Math.min(-missing, burst)) };
};

/** A refusal without the name of the pod, which is another one each time: `pods "web-x7f2k" is forbidden: ...`. */
const withoutName = (message: string | undefined): string | undefined => message?.replace(/"[^"]*"/, '""');

/**
 * The conditions with a failure. One that differs in the pod's name alone stays as it is: a status that changed with every
 * try would wake its own controller to the next try at once.
 */
const withFailure = (old: readonly ReplicaSetCondition[] | undefined, { reason, message }: Pick<PodFailure, 'reason' | 'message'>, nowMs: number): readonly ReplicaSetCondition[] => {
  const told = conditionOf(old, 'ReplicaFailure');
  const isSame = told?.reason === reason && withoutName(told.message) === withoutName(message);
  return withCondition(old, { type: 'ReplicaFailure', status: 'True', reason, message: isSame ? told.message : message }, rfc3339(nowMs));
};

/** The status that the pods amount to, and when to look again because a ready pod becomes available without an event. */
export const replicaSetStatus = (
  replicaSet: ReplicaSet, pods: readonly Pod[], failure: Pick<PodFailure, 'reason' | 'message'> | undefined, nowMs: number,
): { readonly status: ReplicaSetStatus; readonly afterMs: number | undefined } => {
  const template = mapMatcher(replicaSet.spec?.template?.metadata?.labels);
  const active = pods.filter(isActive);
  const waits = active.map((pod) => availableInMs(pod, replicaSet.spec?.minReadySeconds ?? 0, nowMs));
  const pending = waits.filter((waitMs) => waitMs !== undefined && waitMs > 0) as readonly number[];
  const old = replicaSet.status?.conditions;
  const conditions = failure === undefined ? withoutCondition(old, 'ReplicaFailure') : withFailure(old, failure, nowMs);
  return {
    status: {
      replicas: active.length,
      ...nonZero({
        fullyLabeledReplicas: active.filter((pod) => template.matches(pod.metadata.labels)).length,
        readyReplicas: active.filter(isReady).length,
        availableReplicas: waits.filter((waitMs) => waitMs === 0).length,
        terminatingReplicas: pods.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length,
      }),
      ...(replicaSet.metadata.generation === undefined ? {} : { observedGeneration: replicaSet.metadata.generation }),
      ...(conditions.length === 0 ? {} : { conditions }),
    },
    afterMs: pending.length === 0 ? undefined : Math.min(...pending),
  };
};
