/** What a Deployment says of itself: numbers, Available, Progressing and ReplicaFailure. */
import { rfc3339 } from '../../base/clock.ts';
import { conditionOf, withCondition, withoutCondition } from '../../schemas/conditions.ts';
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { nonZero } from '../non-zero.ts';
import { maxUnavailable } from './bounds.ts';

type Conditions = readonly DeploymentCondition[];

/** Value of progressDeadlineSeconds that stands for «none». */
const noDeadline = 2 ** 31 - 1;

const deadlineSeconds = (deployment: Deployment): number | undefined => {
  const seconds = deployment.spec?.progressDeadlineSeconds ?? 600;
  return seconds >= noDeadline ? undefined : seconds;
};

/** Puts a condition in; one of the same status and reason stays as it is, with its times. */
const say = (conditions: Conditions | undefined, next: Omit<DeploymentCondition, 'lastUpdateTime' | 'lastTransitionTime'>, nowMs: number): Conditions => {
  const old = conditionOf(conditions, next.type);
  if (old?.status === next.status && old.reason === next.reason) return conditions ?? [];
  return withCondition(conditions, { ...next, lastUpdateTime: rfc3339(nowMs) }, rfc3339(nowMs));
};

const progressing = (status: 'True' | 'False' | 'Unknown', reason: string, message: string) => ({ type: 'Progressing', status, reason, message });

/** Something new to roll out was made or found: the time to make progress starts again. */
export const startedProgress = (deployment: Deployment, conditions: Conditions | undefined, started: { readonly name: string; readonly created: boolean }, nowMs: number): Conditions => {
  if (deadlineSeconds(deployment) === undefined) return conditions ?? [];
  const [reason, message] = started.created ? ['NewReplicaSetCreated', `Created new replica set "${started.name}"`] : ['FoundNewReplicaSet', `Found new replica set "${started.name}"`];
  return say(withoutReason(conditions, reason), progressing('True', reason, message), nowMs);
};

const withoutReason = (conditions: Conditions | undefined, reason: string): Conditions =>
  (conditions ?? []).filter((condition) => condition.type !== 'Progressing' || condition.reason !== reason);

/** While paused a Deployment makes no promise of progress; when it goes on, the deadline counts from then. */
export const pausedProgress = (deployment: Deployment, nowMs: number): Conditions | undefined => {
  const conditions = deployment.status?.conditions;
  const current = conditionOf(conditions, 'Progressing');
  if (deadlineSeconds(deployment) === undefined || current?.reason === 'ProgressDeadlineExceeded') return conditions;
  if (deployment.spec?.paused === true) return say(conditions, progressing('Unknown', 'DeploymentPaused', 'Deployment is paused'), nowMs);
  return current?.reason === 'DeploymentPaused' ? say(conditions, progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed'), nowMs) : conditions;
};

/** All pods asked for are of the newest template and available, and there are no others. */
export const isComplete = (deployment: Deployment, status: DeploymentStatus): boolean => {
  const replicas = deployment.spec?.replicas ?? 1;
  return (status.updatedReplicas ?? 0) === replicas && (status.replicas ?? 0) === replicas && (status.availableReplicas ?? 0) === replicas;
};

const total = (replicaSets: readonly ReplicaSet[], of: (replicaSet: ReplicaSet) => number | undefined): number =>
  replicaSets.reduce((sum, replicaSet) => sum + (of(replicaSet) ?? 0), 0);

/** Numbers and Available. `size` gives the size that each ReplicaSet has once the steps of the plan are done. */
export const deploymentStatus = (
  deployment: Deployment, replicaSets: { readonly all: readonly ReplicaSet[]; readonly newest: ReplicaSet | undefined; readonly asked: number },
  conditions: Conditions | undefined, nowMs: number,
): DeploymentStatus => {
  const available = total(replicaSets.all, ({ status }) => status?.availableReplicas);
  const enough = available >= (deployment.spec?.replicas ?? 1) - maxUnavailable(deployment);
  const generation = deployment.metadata.generation;
  const collisionCount = deployment.status?.collisionCount;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...nonZero({
      replicas: total(replicaSets.all, ({ status }) => status?.replicas),
      updatedReplicas: replicaSets.newest?.status?.replicas ?? 0,
      readyReplicas: total(replicaSets.all, ({ status }) => status?.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, replicaSets.asked - available),
      terminatingReplicas: total(replicaSets.all, ({ status }) => status?.terminatingReplicas),
    }),
    conditions: say(conditions, enough
      ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
      : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }, nowMs),
  };
};

/** True when the pods moved towards the newest template since the status that is stored. */
const hasMoved = (old: DeploymentStatus | undefined, next: DeploymentStatus): boolean => {
  const updated = (status: DeploymentStatus | undefined): number => status?.updatedReplicas ?? 0;
  const outdated = (status: DeploymentStatus | undefined): number => (status?.replicas ?? 0) - updated(status);
  return updated(next) > updated(old) || outdated(next) < outdated(old)
    || (next.readyReplicas ?? 0) > (old?.readyReplicas ?? 0) || (next.availableReplicas ?? 0) > (old?.availableReplicas ?? 0);
};

const overAtMs = (deployment: Deployment, condition: DeploymentCondition | undefined): number | undefined => {
  const seconds = deadlineSeconds(deployment);
  const fromMs = timeMs(condition?.lastUpdateTime);
  return seconds === undefined || fromMs === undefined ? undefined : fromMs + seconds * 1000;
};

/** Adds what a rollout says of its progress, and when to look again whether its time is over. */
export const withProgress = (
  deployment: Deployment, status: DeploymentStatus, newest: string | undefined, nowMs: number,
): { readonly status: DeploymentStatus; readonly afterMs: number | undefined } => {
  const current = conditionOf(status.conditions, 'Progressing');
  if (deadlineSeconds(deployment) === undefined) {
    return { status: { ...status, conditions: withoutCondition(status.conditions, 'Progressing') }, afterMs: undefined };
  }
  const subject = newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest}"`;
  const done = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  let { conditions } = status;
  if (!done && isComplete(deployment, status)) {
    conditions = say(conditions, progressing('True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`), nowMs);
  } else if (!done && hasMoved(deployment.status, status)) {
    const moved = { ...progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`), lastUpdateTime: rfc3339(nowMs) };
    conditions = withCondition(conditions, moved, rfc3339(nowMs));
  } else if (!done && current?.reason !== 'NewReplicaSetAvailable' && (overAtMs(deployment, current) ?? Infinity) <= nowMs) {
    conditions = say(conditions, progressing('False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`), nowMs);
  }
  const next = conditionOf(conditions, 'Progressing');
  const waits = next !== undefined && next.reason !== 'NewReplicaSetAvailable' && next.reason !== 'ProgressDeadlineExceeded';
  const overMs = waits ? overAtMs(deployment, next) : undefined;
  return { status: { ...status, ...(conditions === undefined ? {} : { conditions }) }, afterMs: overMs === undefined ? undefined : Math.max(0, overMs - nowMs) };
};

/** The first complaint of a ReplicaSet that cannot make or delete pods, the newest's before others. */
export const withReplicaFailure = (status: DeploymentStatus, replicaSets: readonly ReplicaSet[], nowMs: number): DeploymentStatus => {
  const failure = replicaSets.map((replicaSet) => conditionOf(replicaSet.status?.conditions, 'ReplicaFailure')).find((one) => one?.status === 'True');
  const { reason = 'FailedCreate', message = '' } = failure ?? {};
  return {
    ...status,
    conditions: failure === undefined ? withoutCondition(status.conditions, 'ReplicaFailure') : say(status.conditions, { type: 'ReplicaFailure', status: 'True', reason, message }, nowMs),
  };
};

/** The new ReplicaSet was refused: the rollout cannot go on until someone changes what the message names. */
export const createRefused = (status: DeploymentStatus, message: string, nowMs: number): DeploymentStatus => ({
  ...status,
  conditions: say(withoutCondition(status.conditions, 'Progressing'), progressing('False', 'ReplicaSetCreateError', message), nowMs),
});
