import { rfc3339 } from '../../base/clock.ts';
import type { NewObject } from '../../client/client.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { parseCron } from '../../schemas/cron.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { CronJob } from '../../schemas/kinds/batch/cron-job.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { controllerReference, isControlledBy } from '../../schemas/owners.ts';
import { unlessGone } from '../ensure.ts';
import { finishedOf } from '../job/verdict.ts';
import { byController, ownedBy } from '../ownership.ts';
import { namespaceEnds } from '../refusals.ts';
import { jobName, planCronJob } from './plan.ts';

/** On Jobs: when they were due, in the schedule's time zone. */
const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

const jobOf = (cronJob: CronJob, dueMs: number): NewObject<Job> => {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    metadata: {
      name: jobName(cronJob, dueMs), namespace: cronJob.metadata.namespace, ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [scheduledAnnotation]: rfc3339(dueMs) },
      ownerReferences: [controllerReference(cronJob, CronJob)],
    },
    spec,
  };
};

const remove = async (cronJob: CronJob, job: Job, context: ReconcileContext): Promise<void> => {
  await unlessGone(context.client.of(Job).delete(keyOf(job), { propagationPolicy: 'Background', preconditions: { uid: job.metadata.uid } }));
  context.events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
};

/** Makes the Job of a time. One of that name that is its own was made before; false: the name is taken, or nothing can be made. */
const start = async (cronJob: CronJob, dueMs: number, context: ReconcileContext): Promise<boolean> => {
  const job = jobOf(cronJob, dueMs);
  try {
    const made = await context.client.of(Job).create(job);
    context.events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${made.metadata.name}`);
    return true;
  } catch (error) {
    if (namespaceEnds(error)) return false;
    if (isReason(error, 'AlreadyExists')) {
      const there = await context.client.of(Job).find(keyOf(job as Job));
      if (there !== undefined && isControlledBy(there, cronJob)) return true;
    }
    context.events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
};

export const cronJobController = (): Controller<CronJob> => {
  /** Jobs whose end was told, by UID, for as long as they are there. */
  const told = new Set<string>();

  const tellEnds = (cronJob: CronJob, jobs: readonly Job[], context: ReconcileContext): void => {
    const active = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid));
    for (const job of jobs) {
      const { uid = '', name } = job.metadata;
      const end = finishedOf(job);
      if (end === undefined || !active.has(uid) || told.has(uid)) continue;
      told.add(uid);
      context.events.event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${end.type}`);
    }
  };

  return {
    name: 'cronjob-controller',
    reconciles: CronJob,
    owns: [Job],
    watches: [{ kind: Job, indexes: { controller: byController }, map: (job: Job, context) => {
      if (context.informer(Job).get(keyOf(job)) === undefined) told.delete(job.metadata.uid ?? '');
      return [];
    } }],
    reconcile: async (cronJob, _key, context) => {
      if (cronJob === undefined) return undefined;
      const schedule = parseCron(cronJob.spec.schedule);
      if (typeof schedule === 'string') {
        context.events.event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(cronJob.spec.schedule)}: ${schedule}`);
        return undefined;
      }
      const jobs = context.informer(Job).by('controller', ownedBy(cronJob.metadata.uid));
      const plan = planCronJob({ cronJob, schedule, jobs, nowMs: context.clock.now() });
      tellEnds(cronJob, jobs, context);
      for (const { reason, message } of plan.warnings) context.events.event(cronJob, 'Warning', reason, message);
      for (const job of [...plan.replace, ...plan.forget]) await remove(cronJob, job, context);
      const status = plan.startMs === undefined || await start(cronJob, plan.startMs, context) ? plan.status : cronJob.status;
      if (!deepEqual(status ?? {}, cronJob.status ?? {})) {
        await unlessGone(context.client.of(CronJob).modifyStatus(keyOf(cronJob), (draft) => {
          if (draft.metadata.uid === cronJob.metadata.uid) draft.status = draftOf(status ?? {});
        }, { hint: cronJob }));
      }
      return plan.afterMs === undefined ? undefined : { afterMs: plan.afterMs };
    },
  };
};
