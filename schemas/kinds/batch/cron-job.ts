import { ageColumn, column, nameColumn, workloadColumns } from '../../columns/columns.ts';
import { deepEqual } from '../../frozen.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { as, boolean, int32, int64, list, object, oneOf, string, time, type Static } from '../../schema.ts';
import { age } from '../../table-cells.ts';
import { JobTemplateSpec } from '../../types/job-spec.ts';
import { ObjectReference } from '../../types/references.ts';
import { validateCronJob } from '../../validation/cron-job.ts';
import { warnHostName, warnPodTemplate } from '../../warnings/pod.ts';

export const CronJobSpec = object('batch.v1.CronJobSpec', 'When a CronJob makes Jobs, and which.', {
  concurrencyPolicy: oneOf(['Allow', 'Forbid', 'Replace'], 'What happens when a Job is due while the last one runs: both run, the new one is left out, or it takes the place of the old one.', { default: 'Allow' }),
  failedJobsHistoryLimit: int32('How many failed Jobs are kept.', { default: 1, minimum: 0 }),
  jobTemplate: as(JobTemplateSpec, 'The Jobs that are made.', { 'x-barge-default-object': true }),
  schedule: string("When, in the words of cron: minute, hour, day of the month, month and day of the week, such as '*/5 * * * *'."),
  startingDeadlineSeconds: int64('Seconds by which a Job may be late; one that is later is left out.', { minimum: 0 }),
  successfulJobsHistoryLimit: int32('How many Jobs that succeeded are kept.', { default: 3, minimum: 0 }),
  suspend: boolean('True to make no more Jobs; those that run go on.', { default: false }),
  timeZone: string("Time zone of the schedule, such as Europe/Paris; the controller's where absent."),
}, ['jobTemplate', 'schedule']);
export type CronJobSpec = Static<typeof CronJobSpec>;

export const CronJobStatus = object('batch.v1.CronJobStatus', 'What a CronJob has done.', {
  active: list(ObjectReference, 'Jobs that run.', { listType: 'atomic' }),
  lastScheduleTime: time('When a Job was last due and made.'),
  lastSuccessfulTime: time('When a Job last succeeded.'),
});
export type CronJobStatus = Static<typeof CronJobStatus>;

const schema = topLevel('batch.v1.CronJob', 'Makes a Job whenever its schedule says so.', {
  spec: as(CronJobSpec, 'When, and which Jobs.', { 'x-barge-default-object': true }),
  status: as(CronJobStatus, 'What it has done.'),
}, ['spec']);

const said = (value: boolean | undefined): string => (value === undefined ? '<unset>' : value ? 'True' : 'False');

const templatePath = 'spec.jobTemplate.spec.template';

export const CronJob = defineKind(schema, {
  group: 'batch', version: 'v1', kind: 'CronJob', plural: 'cronjobs', scope: 'Namespaced',
  shortNames: ['cj'],
  categories: ['all'],
  columns: [
    nameColumn,
    column('Schedule', 'When Jobs are made, in the words of cron.', ({ spec }) => spec.schedule),
    column('Timezone', 'Time zone of the schedule.', ({ spec }) => spec.timeZone ?? '<none>'),
    column('Suspend', 'Whether no more Jobs are made.', ({ spec }) => said(spec.suspend), { type: 'boolean' }),
    column('Active', 'Jobs that run.', ({ status }) => status?.active?.length ?? 0, { type: 'integer' }),
    column('Last Schedule', 'Time since a Job was last made.', ({ status }, nowMs) => (status?.lastScheduleTime === undefined ? '<none>' : age(status.lastScheduleTime, nowMs))),
    ageColumn,
    ...workloadColumns.map((one) => ({ ...one, cell: ({ spec }: { readonly spec: CronJobSpec }, nowMs: number) => one.cell(spec.jobTemplate, nowMs) })),
  ],
  subresources: { status: true },
  initialStatus: () => ({}),
  prepare: ({ spec }) => preparePodTemplateSpec(spec.jobTemplate.spec.template.spec),
  validate: validateCronJob,
  warn: ({ metadata, spec }, old) => {
    const { template } = spec.jobTemplate.spec;
    if (old === undefined) return [...warnHostName(metadata.name, 'Pod names and hostnames'), ...warnPodTemplate(template, templatePath)];
    return deepEqual(template, old.spec.jobTemplate.spec.template) ? [] : warnPodTemplate(template, templatePath);
  },
});
export type CronJob = BodyOf<typeof CronJob>;
