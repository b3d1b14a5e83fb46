/** What a CronJob does now: at most one Job that is due, Jobs that make room for it, and old ones that go. */
import type { CronSchedule } from '../../schemas/cron.ts';
import type { CronJob, CronJobStatus } from '../../schemas/kinds/batch/cron-job.ts';
import type { Job } from '../../schemas/kinds/batch/job.ts';
import { rfc3339 } from '../../base/clock.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { finishedOf } from '../job/verdict.ts';
import { lastDue, nextDue } from './due.ts';

export interface CronJobState {
  readonly cronJob: CronJob;
  readonly schedule: CronSchedule;
  /** The CronJob's own Jobs. */
  readonly jobs: readonly Job[];
  readonly nowMs: number;
}

export interface CronJobPlan {
  /** When the Job to be made was due. */
  readonly startMs: number | undefined;
  /** Running Jobs that are deleted first. */
  readonly replace: readonly Job[];
  /** Ended Jobs beyond the limits. */
  readonly forget: readonly Job[];
  readonly status: CronJobStatus;
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
  readonly afterMs: number | undefined;
}

/** Name of the Job of a time: the same whoever makes it, so that none is made twice. */
export const jobName = ({ metadata }: CronJob, dueMs: number): string => `${metadata.name}-${Math.floor(dueMs / 60_000)}`;

/** More missed starts than this are worth a warning. */
const manyMissed = 100;

export const planCronJob = ({ cronJob, schedule, jobs, nowMs }: CronJobState): CronJobPlan => {
  const { spec, status: old = {}, metadata } = cronJob;
  const running = jobs.filter((job) => finishedOf(job) === undefined && job.metadata.deletionTimestamp === undefined);
  const successes = jobs.filter((job) => finishedOf(job)?.type === 'Complete').flatMap(({ status }) => timeMs(status?.completionTime) ?? []);
  const lastSuccessMs = Math.max(timeMs(old.lastSuccessfulTime) ?? -Infinity, ...successes);
  const known: CronJobStatus = {
    ...(running.length === 0 ? {} : { active: running.map(({ metadata: { name, namespace, uid, resourceVersion } }) => ({ apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion })) }),
    ...(old.lastScheduleTime === undefined ? {} : { lastScheduleTime: old.lastScheduleTime }),
    ...(lastSuccessMs === -Infinity ? {} : { lastSuccessfulTime: rfc3339(lastSuccessMs) }),
  };
  const rest: CronJobPlan = { startMs: undefined, replace: [], forget: surplus(cronJob, jobs), status: known, warnings: [], afterMs: undefined };
  if (spec.suspend === true || metadata.deletionTimestamp !== undefined) return rest;

  const timeZone = spec.timeZone ?? 'UTC';
  const deadlineMs = spec.startingDeadlineSeconds === undefined ? undefined : spec.startingDeadlineSeconds * 1000;
  const sinceMs = Math.max(timeMs(old.lastScheduleTime) ?? timeMs(metadata.creationTimestamp) ?? nowMs, deadlineMs === undefined ? -Infinity : nowMs - deadlineMs - 1);
  const due = lastDue(schedule, { afterMs: sinceMs, nowMs, timeZone, most: manyMissed + 1 });
  const nextMs = nextDue(schedule, 'everyMs' in schedule ? due?.atMs ?? sinceMs : nowMs, timeZone);
  const waiting = { ...rest, afterMs: nextMs === undefined ? undefined : Math.max(0, nextMs - nowMs) };
  if (due === undefined || jobs.some((job) => job.metadata.name === jobName(cronJob, due.atMs))) return waiting;
  const warnings = due.count > manyMissed ? [{ reason: 'TooManyMissedTimes', message: `too many missed start times: ${due.count} or more. Set or decrease .spec.startingDeadlineSeconds or check clock skew` }] : [];
  if (spec.concurrencyPolicy === 'Forbid' && running.length > 0) {
    // It stays due: it starts when the last one has ended, unless the deadline or the next time comes first.
    return { ...waiting, warnings: [...warnings, { reason: 'JobAlreadyActive', message: 'Not starting job because prior execution is running and concurrency policy is Forbid' }] };
  }
  return {
    ...waiting, warnings, startMs: due.atMs, replace: spec.concurrencyPolicy === 'Replace' ? running : [],
    status: { ...known, lastScheduleTime: rfc3339(due.atMs) },
  };
};

/** Ended Jobs beyond the limits of the history, the oldest first. */
const surplus = ({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] => {
  const startOf = ({ status, metadata }: Job): string => status?.startTime ?? metadata.creationTimestamp ?? '';
  const beyond = (type: string, most: number): readonly Job[] => {
    const ended = jobs.filter((job) => finishedOf(job)?.type === type && job.metadata.deletionTimestamp === undefined).sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
    return ended.slice(0, Math.max(0, ended.length - most));
  };
  return [...beyond('Complete', spec.successfulJobsHistoryLimit ?? 3), ...beyond('Failed', spec.failedJobsHistoryLimit ?? 1)];
};
