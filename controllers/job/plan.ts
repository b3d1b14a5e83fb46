/**
 * The next steps of a Job: pods to make and to delete, and what its status becomes. The order of a look is: count what has
 * ended, see whether that is the end, else keep as many pods as are wanted. An end is decided first (FailureTarget,
 * SuccessCriteriaMet) and final (Failed, Complete) when the last pod has stopped and is counted.
 */
import { rfc3339 } from '../../base/clock.ts';
import { withCondition } from '../../schemas/conditions.ts';
import type { Job, JobCondition, JobStatus } from '../../schemas/kinds/batch/job.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { nonZero } from '../non-zero.ts';
import { isActive, isReady, isTerminal, isTerminating } from '../pod-state.ts';
import { inDeletionOrder } from '../replica-set/deletion-order.ts';
import { waitBeforeMs } from './back-off.ts';
import { countPods, type Count } from './count.ts';
import { indexesText, indexOf, type Failures } from './indexes.ts';
import { endOf, type JobEnd } from './verdict.ts';

export interface JobState {
  readonly job: Job;
  /** The Job's own pods, also those that have ended. */
  readonly pods: readonly Pod[];
  /** UIDs of pods whose deletion was asked for, though the pods may not show it yet. */
  readonly leaving: ReadonlySet<string>;
  readonly nowMs: number;
}

/** A pod to make; the index and its failures so far are those of an indexed Job. */
export interface WantedPod {
  readonly index?: number;
  readonly failures?: Failures;
}

export interface JobPlan {
  readonly status: JobStatus;
  /** Pods whose finalizer goes once the status is written. */
  readonly release: readonly Pod[];
  readonly create: readonly WantedPod[];
  readonly remove: readonly Pod[];
  /** The end that comes with this status, told once. */
  readonly ends: JobEnd | undefined;
  readonly afterMs: number | undefined;
}

/** At most this many pods are made in one go, so that one Job does not hold up the others. */
const burst = 500;

export const planJob = (state: JobState): JobPlan => {
  const { job, pods, leaving, nowMs } = state;
  const present = pods.filter((pod) => !leaving.has(pod.metadata.uid ?? ''));
  const count = countPods(job, pods);
  const active = present.filter(isActive);
  const end = endOf(job, present, count, nowMs);
  const isSuspended = job.spec.suspend === true;
  const keep = end !== undefined || isSuspended ? undefined : keepUp(job, { present, active, count, nowMs });
  const remove = keep?.remove ?? active;
  const stopping = pods.filter((pod) => !isTerminal(pod) && (isTerminating(pod) || leaving.has(pod.metadata.uid ?? '') || remove.includes(pod))).length;
  const isOver = end !== undefined && stopping === 0 && remove.length === 0 && count.held.length === 0;
  const status = statusOf(job, { count, end, isOver, isSuspended, nowMs, active: active.length - remove.length + (keep?.create.length ?? 0), ready: active.filter((pod) => isReady(pod) && !remove.includes(pod)).length, stopping });
  return {
    status, release: end === undefined ? count.release : count.held, create: keep?.create ?? [], remove,
    ends: isOver ? end : undefined,
    afterMs: end === undefined && !isSuspended ? nextLookMs(job, keep?.afterMs, nowMs) : undefined,
  };
};

const nextLookMs = ({ spec, status }: Job, backOffMs: number | undefined, nowMs: number): number | undefined => {
  const startMs = timeMs(status?.startTime) ?? nowMs;
  const deadlineMs = spec.activeDeadlineSeconds === undefined ? Infinity : Math.max(0, startMs + spec.activeDeadlineSeconds * 1000 - nowMs);
  const afterMs = Math.min(backOffMs ?? Infinity, deadlineMs);
  return afterMs === Infinity ? undefined : afterMs;
};

interface Looked {
  /** Pods that are not leaving by this controller's doing. */
  readonly present: readonly Pod[];
  readonly active: readonly Pod[];
  readonly count: Count;
  readonly nowMs: number;
}

interface Steps {
  readonly create: readonly WantedPod[];
  readonly remove: readonly Pod[];
  readonly afterMs?: number | undefined;
}

/** As many active pods as the Job wants now: fewer are made up for after the back-off, more are deleted. */
const keepUp = (job: Job, looked: Looked): Steps => {
  const { spec } = job;
  const { present, active, count, nowMs } = looked;
  const parallelism = spec.parallelism ?? 1;
  const left = spec.completions === undefined ? (count.succeeded > 0 ? active.length : Infinity) : spec.completions - count.succeeded - count.failedIndexes.size;
  const wanted = Math.min(parallelism, Math.max(0, left));
  const useless = spec.completionMode === 'Indexed' ? uselessPods(job, looked) : [];
  const useful = active.filter((pod) => !useless.includes(pod));
  const surplus = useful.length > wanted ? inDeletionOrder(useful, useful, nowMs).slice(0, useful.length - wanted) : [];
  const remove = [...useless, ...surplus];
  if (remove.length > 0) return { create: [], remove };
  // Whoever waits for the end of what is replaced counts it as there until then.
  const stopping = spec.podReplacementPolicy === 'Failed' ? present.filter((pod) => isTerminating(pod) && !isTerminal(pod)) : [];
  const missing = Math.min(wanted - useful.length - stopping.length, burst);
  if (missing <= 0) return { create: [], remove };
  if (spec.completionMode === 'Indexed') return { ...wantedIndexes(job, looked, stopping, missing), remove };
  const afterMs = waitBeforeMs(job, present, nowMs);
  return afterMs > 0 ? { create: [], remove, afterMs } : { create: Array.from({ length: missing }, () => ({})), remove };
};

/** Active pods of indexes that are done, given up, beyond the completions, or that another pod works on already. */
const uselessPods = ({ spec }: Job, { active, count }: Looked): readonly Pod[] => {
  const taken = new Set<number>();
  const oldest = active.toSorted((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1));
  return oldest.filter((pod) => {
    const index = indexOf(pod);
    if (index === undefined || index >= (spec.completions ?? 0) || count.completed.has(index) || count.failedIndexes.has(index) || taken.has(index)) return true;
    taken.add(index);
    return false;
  });
};

/** The lowest indexes that nobody works on; each waits for its own back-off where failures are counted by index. */
const wantedIndexes = (job: Job, { present, active, count, nowMs }: Looked, stopping: readonly Pod[], missing: number): Omit<Steps, 'remove'> => {
  const busy = new Set([...active, ...stopping].map(indexOf));
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const allMs = perIndex ? 0 : waitBeforeMs(job, present, nowMs);
  if (allMs > 0) return { create: [], afterMs: allMs };
  const create: WantedPod[] = [];
  let afterMs = Infinity;
  for (let index = 0; index < (job.spec.completions ?? 0) && create.length < missing; index++) {
    if (busy.has(index) || count.completed.has(index) || count.failedIndexes.has(index)) continue;
    const failures = count.failuresOf.get(index);
    const ownMs = failures === undefined ? 0 : waitBeforeMs(job, present.filter((pod) => indexOf(pod) === index), nowMs);
    if (ownMs > 0) afterMs = Math.min(afterMs, ownMs);
    else create.push({ index, ...(perIndex ? { failures: failures ?? { counted: 0, ignored: 0 } } : {}) });
  }
  return { create, afterMs: afterMs === Infinity ? undefined : afterMs };
};

interface Said {
  readonly count: Count;
  readonly end: JobEnd | undefined;
  readonly isOver: boolean;
  readonly isSuspended: boolean;
  readonly nowMs: number;
  readonly active: number;
  readonly ready: number;
  readonly stopping: number;
}

const statusOf = (job: Job, said: Said): JobStatus => {
  const { count, end, isOver, isSuspended, nowMs, stopping } = said;
  const { status: old = {}, spec } = job;
  const now = rfc3339(nowMs);
  const conditions = conditionsOf(job, said);
  const { succeeded = 0, failed = 0, uncountedTerminatedPods } = count.status;
  const resumed = !isSuspended && old.conditions?.some(({ type, status }) => type === 'Suspended' && status === 'True') === true;
  const startTime = isSuspended && end === undefined ? undefined : resumed ? now : old.startTime ?? now;
  const completedIndexes = spec.completionMode === 'Indexed' ? indexesText(count.completed) : undefined;
  const failedIndexes = spec.backoffLimitPerIndex === undefined ? undefined : indexesText(count.failedIndexes);
  return {
    ...(startTime === undefined ? {} : { startTime }),
    ...(isOver && end?.type === 'Complete' ? { completionTime: old.completionTime ?? now } : {}),
    ...nonZero({ active: said.active, succeeded, failed }),
    ready: said.ready, terminating: stopping, uncountedTerminatedPods: uncountedTerminatedPods ?? {},
    ...(completedIndexes === undefined ? {} : { completedIndexes }),
    ...(failedIndexes === undefined ? {} : { failedIndexes }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
};

const conditionsOf = (job: Job, { end, isOver, isSuspended, nowMs }: Said): readonly JobCondition[] => {
  const now = rfc3339(nowMs);
  let conditions: readonly JobCondition[] = job.status?.conditions ?? [];
  const say = (condition: Omit<JobCondition, 'lastTransitionTime' | 'lastProbeTime'>): void => {
    const before = conditions.find(({ type }) => type === condition.type);
    if (before?.status === condition.status && before.reason === condition.reason && before.message === condition.message) return;
    conditions = withCondition(conditions, { ...condition, lastProbeTime: now }, now);
  };
  if (end !== undefined) {
    const { type, reason, message } = end;
    say({ type: type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet', status: 'True', reason, message });
    if (isOver) say({ type, status: 'True', reason, message });
  } else if (isSuspended) say({ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' });
  else if (conditions.some(({ type }) => type === 'Suspended')) say({ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' });
  return conditions;
};
