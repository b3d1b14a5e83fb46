import { parseCron, whyNotTimeZone } from '../cron.ts';
import { refused, required, wrong, type FieldError } from '../errors.ts';
import type { CronJobSpec } from '../kinds/batch/cron-job.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import { validateJobTemplate } from './job.ts';
import { validateTemplateMeta } from './object-meta.ts';

/** Names of CronJobs: the Jobs' names are 11 characters longer, and those of their pods must be labels. */
export const maxCronJobName = 52;

const validateSchedule = ({ schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined): readonly FieldError[] => {
  if (schedule === '') return [required('spec.schedule')];
  const zone = timeZone === undefined || timeZone === old?.timeZone ? [] : refused('spec.timeZone', timeZone, whyNotTimeZone(timeZone));
  if (schedule.includes('TZ')) {
    // An object that is stored with it may keep it.
    return schedule === old?.schedule ? zone : [...zone, wrong('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')];
  }
  const read = parseCron(schedule);
  return typeof read === 'string' ? [...zone, wrong('spec.schedule', schedule, read)] : zone;
};

interface CronJobLike {
  readonly metadata: ObjectMeta;
  readonly spec: CronJobSpec;
}

/** Every wrong field of a CronJob. All of it may change; the Jobs that there are stay as they are. */
export const validateCronJob = ({ metadata: { name = '' }, spec }: CronJobLike, old: CronJobLike | undefined): readonly FieldError[] => [
  ...(old === undefined && name.length > maxCronJobName ? [wrong('metadata.name', name, `must be no more than ${maxCronJobName} characters`)] : []),
  ...validateSchedule(spec, old?.spec),
  ...validateTemplateMeta(spec.jobTemplate.metadata, 'spec.jobTemplate.metadata'),
  ...validateJobTemplate(spec.jobTemplate.spec, 'spec.jobTemplate.spec'),
];
