/**
 * Watches an update as Swarm does, for Deployments that ask for it: when more than a share of the new pods fails early, or
 * the update makes no progress in its time, it is paused or goes back to what ran before. What was done is noted in
 * annotations by the name of the ReplicaSet, so that it is done once for each: a person who goes on all the same is not
 * stopped again, and a rollback that fails is paused and not rolled back in turn.
 */
import { rfc3339 } from '../../base/clock.ts';
import { conditionOf, withCondition, withoutCondition } from '../../schemas/conditions.ts';
import type { Deployment, DeploymentStatus } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { annotationNames, updatePolicy } from '../../schemas/rollout-annotations.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import type { ContainerStatus } from '../../schemas/types/pod-status.ts';
import { isComplete } from './progress.ts';
import { createdMs, nextRevision, revisionOf } from './revisions.ts';

/** What is to be done about an update, once. */
export type UpdateStep =
  | { readonly do: 'rollback'; readonly from: string; readonly to: ReplicaSet; readonly message: string }
  | { readonly do: 'pause'; readonly at: string; readonly message: string }
  /** A pause of this controller is over: somebody went on, or has another template. */
  | { readonly do: 'resume'; readonly at: string; readonly isContinued: boolean };

export interface UpdateState {
  readonly deployment: Deployment;
  readonly newest: ReplicaSet | undefined;
  readonly olds: readonly ReplicaSet[];
  /** Pods of the newest ReplicaSet; asked for only where updates are watched. */
  readonly podsOf: (replicaSet: ReplicaSet) => readonly Pod[];
  /** As the rollout says it. */
  readonly status: DeploymentStatus;
  readonly nowMs: number;
}

export interface UpdateWatch {
  readonly step: UpdateStep | undefined;
  readonly status: DeploymentStatus;
}

export const updateFailed = 'UpdateFailed';

/** Reasons for which a container does not begin, and will not without somebody's help. */
const stuck: ReadonlySet<string> = new Set([
  'ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError',
]);

interface Failure {
  readonly why: string;
  readonly atMs: number;
}

const endOf = (container: ContainerStatus, { within, isInit }: { readonly within: number; readonly isInit: boolean }, nowMs: number): Failure | undefined => {
  const { name, state, lastState } = container;
  const waiting = state?.waiting?.reason ?? '';
  if (stuck.has(waiting)) return { why: `container ${name} cannot start: ${waiting}`, atMs: nowMs };
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended === undefined || (isInit && ended.exitCode === 0)) return undefined;
  const endMs = timeMs(ended.finishedAt) ?? nowMs;
  const ranMs = endMs - (timeMs(ended.startedAt) ?? endMs);
  return isInit || ranMs <= within ? { why: `container ${name} ended with exit code ${ended.exitCode} after ${Math.round(ranMs / 1_000)} s`, atMs: endMs } : undefined;
};

/** When the pod was told to end; what ends from then on has not failed. */
const toldToEndMs = ({ deletionTimestamp, deletionGracePeriodSeconds = 0 }: Pod['metadata']): number =>
  (timeMs(deletionTimestamp) ?? Infinity) - deletionGracePeriodSeconds * 1_000;

/** Why a pod counts as failed, and since when; undefined for one that is well or may become so. */
const failureOf = ({ metadata, status }: Pod, monitorMs: number, nowMs: number): Failure | undefined => {
  const containers = [
    ...(status?.initContainerStatuses ?? []).map((one) => endOf(one, { within: monitorMs, isInit: true }, nowMs)),
    ...(status?.containerStatuses ?? []).map((one) => endOf(one, { within: monitorMs, isInit: false }, nowMs)),
  ];
  const endedMs = timeMs(conditionOf(status?.conditions, 'Ready')?.lastTransitionTime) ?? nowMs;
  const failure = containers.find((one) => one !== undefined) ?? (status?.phase === 'Failed' ? { why: status.reason ?? 'it failed', atMs: endedMs } : undefined);
  return failure === undefined || failure.atMs >= toldToEndMs(metadata) ? undefined : { ...failure, why: `pod ${metadata.name}: ${failure.why}` };
};

/** Until when an update is watched: for ever while it is under way, and for the time of the monitor after it. */
const watchedUntilMs = ({ deployment, status }: UpdateState, monitorMs: number): number => {
  const progress = conditionOf(status.conditions, 'Progressing');
  if (progress === undefined) return isComplete(deployment, status) ? -Infinity : Infinity;
  return progress.reason === 'NewReplicaSetAvailable' ? (timeMs(progress.lastUpdateTime) ?? 0) + monitorMs : Infinity;
};

/**
 * When the update to a ReplicaSet began; undefined while that is not written down yet. One that comes back has pods of
 * before, and what befell them then is no fault of the update.
 */
const begunMs = (newest: ReplicaSet, olds: readonly ReplicaSet[]): number | undefined =>
  (revisionOf(newest) < nextRevision(olds) ? undefined : timeMs(newest.metadata.annotations?.[annotationNames.rolledOutAt]) ?? createdMs(newest));

/** Why the update has failed, in words; undefined while it has not. */
const failureOfUpdate = (state: UpdateState, newest: ReplicaSet): string | undefined => {
  const { deployment, olds, podsOf, status, nowMs } = state;
  const fromMs = begunMs(newest, olds);
  if (fromMs === undefined) return undefined;
  const policy = updatePolicy(deployment.metadata.annotations)!;
  const replicas = deployment.spec?.replicas ?? 1;
  const untilMs = watchedUntilMs(state, policy.monitorMs);
  const failures = podsOf(newest).map((pod) => failureOf(pod, policy.monitorMs, nowMs)).filter((one) => one !== undefined).filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
  if (replicas > 0 && failures.length / replicas > policy.maxFailureRatio) return `${failures.length} of ${replicas} pods failed, more than a share of ${policy.maxFailureRatio}: ${failures[0]!.why}`;
  return conditionOf(status.conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded' ? `no progress in ${deployment.spec?.progressDeadlineSeconds ?? 600} s` : undefined;
};

/** Where a rollback goes: to the newest template that has pods that serve, else to the newest of before. */
const before = (newest: ReplicaSet, olds: readonly ReplicaSet[]): ReplicaSet | undefined => {
  const earlier = olds.filter((old) => revisionOf(old) < revisionOf(newest) && old.metadata.deletionTimestamp === undefined).toSorted((a, b) => revisionOf(b) - revisionOf(a));
  return earlier.find(({ status }) => (status?.availableReplicas ?? 0) > 0) ?? earlier[0];
};

/** Looks whether something is to be done about the update, and lets the status say what was done about it. */
export const watchUpdate = (state: UpdateState): UpdateWatch => {
  const { deployment, newest, olds, status, nowMs } = state;
  const { annotations } = deployment.metadata;
  const name = newest?.metadata.name;
  const { pausedAt, continuedAt, rolledBackTo, rolledBackFrom } = annotationNames;
  const marks = [pausedAt, continuedAt, rolledBackTo].map((one) => annotations?.[one]);
  // Nothing was ever done here, and nothing is asked for.
  if (updatePolicy(annotations) === undefined && marks.every((mark) => mark === undefined)) return { step: undefined, status };
  const told = (message: string, reason: string): DeploymentStatus =>
    ({ ...status, conditions: withCondition(status.conditions, { type: updateFailed, status: 'True', reason, message, lastUpdateTime: rfc3339(nowMs) }, rfc3339(nowMs)) });
  const isPaused = deployment.spec?.paused === true;
  const paused = annotations?.[pausedAt];
  const known = name !== undefined && marks.includes(name);
  const calm = known || conditionOf(status.conditions, updateFailed) === undefined ? status : { ...status, conditions: withoutCondition(status.conditions, updateFailed) };
  if (paused !== undefined && (!isPaused || paused !== name)) return { step: { do: 'resume', at: paused, isContinued: paused === name }, status: calm };
  const policy = updatePolicy(annotations);
  if (policy === undefined || policy.failureAction === 'continue' || newest === undefined || name === undefined || isPaused || annotations?.[continuedAt] === name) return { step: undefined, status: calm };
  const why = failureOfUpdate(state, newest);
  if (why === undefined) return { step: undefined, status: calm };
  const isRollback = annotations?.[rolledBackTo] === name && annotations[rolledBackFrom] !== name;
  const target = policy.failureAction === 'rollback' && !isRollback ? before(newest, olds) : undefined;
  if (target !== undefined) {
    const message = `update to revision ${revisionOf(newest)} rolled back to revision ${revisionOf(target)}: ${why}`;
    return { step: { do: 'rollback', from: name, to: target, message }, status: told(message, 'RolledBack') };
  }
  const message = `${isRollback ? 'rollback' : 'update'} to revision ${revisionOf(newest)} paused: ${why}`;
  return { step: { do: 'pause', at: name, message }, status: told(message, 'Paused') };
};
