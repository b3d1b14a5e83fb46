import { ageColumn, column, nameColumn, workloadColumns } from '../../columns/columns.ts';
import { jobDuration, jobProgress, jobStatusWord } from '../../columns/job-cells.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { generateJobLabels, prepareJobSpec } from '../../prepare/job.ts';
import { validateDependencies } from '../../rollout-annotations.ts';
import { as, int32, list, object, string, time, type Static } from '../../schema.ts';
import { JobSpec } from '../../types/job-spec.ts';
import { validateJob, validateJobStatus } from '../../validation/job.ts';
import { warnWorkload } from '../../warnings/pod.ts';

export const JobCondition = object('batch.v1.JobCondition', 'One aspect of the state of a Job.', {
  lastProbeTime: time('When the condition was last looked at.'),
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect: Complete, Failed, Suspended, FailureTarget or SuccessCriteriaMet.'),
}, ['status', 'type']);
export type JobCondition = Static<typeof JobCondition>;

export const UncountedTerminatedPods = object('batch.v1.UncountedTerminatedPods', 'Pods that have ended and are not in the counts yet.', {
  failed: list(string('UID.'), 'UIDs of failed pods.', { listType: 'set' }),
  succeeded: list(string('UID.'), 'UIDs of pods that succeeded.', { listType: 'set' }),
});
export type UncountedTerminatedPods = Static<typeof UncountedTerminatedPods>;

export const JobStatus = object('batch.v1.JobStatus', 'How far a Job is.', {
  active: int32('Pods that are pending or running.', { minimum: 0 }),
  completedIndexes: string('Indexes that have succeeded, such as 1,3-5.'),
  completionTime: time('When the Job was complete.'),
  conditions: list(JobCondition, "Aspects of the Job's state.", { listType: 'atomic', mergeKey: 'type' }),
  failed: int32('Pods that have failed.', { minimum: 0 }),
  failedIndexes: string('Indexes that have been given up, such as 1,3-5.'),
  ready: int32('Pods that are ready.', { minimum: 0 }),
  startTime: time('When the controller began with the Job, or went on after it had been suspended.'),
  succeeded: int32('Pods that have succeeded.', { minimum: 0 }),
  terminating: int32('Pods that are being deleted and not gone.', { minimum: 0 }),
  uncountedTerminatedPods: as(UncountedTerminatedPods, 'Pods that have ended and are not in the counts yet.'),
});
export type JobStatus = Static<typeof JobStatus>;

const schema = topLevel('batch.v1.Job', 'Runs pods until so many of them have succeeded.', {
  spec: as(JobSpec, 'What is to be done.', { 'x-barge-default-object': true }),
  status: as(JobStatus, 'How far it is.'),
}, ['spec']);

export const Job = defineKind(schema, {
  group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', scope: 'Namespaced',
  categories: ['all'],
  fields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    column('Status', 'What the Job is doing.', ({ metadata, status }) => jobStatusWord(status?.conditions, metadata.deletionTimestamp !== undefined)),
    column('Completions', 'Pods that have succeeded, of those that must.', ({ spec, status }) => jobProgress(spec, status?.succeeded ?? 0)),
    column('Duration', 'How long the Job took, or has been running.', ({ status }, nowMs) => jobDuration(status, nowMs)),
    ageColumn,
    ...workloadColumns,
  ],
  subresources: { status: true },
  initialStatus: () => ({}),
  prepare: ({ spec }) => prepareJobSpec(spec),
  generate: generateJobLabels,
  validate: (job, old) => [...validateDependencies('Job', job.metadata), ...validateJob(job, old)],
  validateStatus: ({ status }) => validateJobStatus(status ?? {}),
  warn: warnWorkload,
});
export type Job = BodyOf<typeof Job>;
