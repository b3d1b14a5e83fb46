import { rfc3339 } from '../../base/clock.ts';
import type { Key, NewObject } from '../../client/client.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { controllerOf } from '../../schemas/owners.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { dependencyKinds, gate, waitMs } from '../dependencies/gate.ts';
import { withWaiting } from '../dependencies/plan.ts';
import { unlessGone } from '../ensure.ts';
import { byController, claim } from '../ownership.ts';
import { behindMs, PodControl, podOf, type PodOwner } from '../pod-control.ts';
import { failureCountKey, ignoredCountKey, indexKey } from './indexes.ts';
import { planJob, type JobPlan, type WantedPod } from './plan.ts';
import { isTracked, trackingFinalizer } from './pod-outcome.ts';
import { finishedOf } from './verdict.ts';

/** Jobs that name another controller than this in `spec.managedBy` are left to it. */
const ownName = 'kubernetes.io/job-controller';

const isOwn = ({ spec }: Job): boolean => spec.managedBy === undefined || spec.managedBy === ownName;

const jobPod = (owner: PodOwner & { readonly object: Job }, { index, failures }: WantedPod): NewObject<Pod> => {
  const { template } = owner.object.spec;
  const { name = '' } = owner.object.metadata;
  const finalizers = [...new Set([...(template.metadata?.finalizers ?? []), trackingFinalizer])];
  if (index === undefined) return podOf({ ...template, metadata: { ...template.metadata, finalizers } }, owner, { prefix: `${name}-` });
  const text = String(index);
  const env = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } } };
  const told = <C extends { readonly env?: readonly { readonly name: string }[] | undefined }>(container: C): C =>
    (container.env?.some((one) => one.name === env.name) === true ? container : { ...container, env: [...(container.env ?? []), env] });
  const { spec } = template;
  return podOf({
    metadata: {
      ...template.metadata, finalizers, labels: { ...template.metadata?.labels, [indexKey]: text },
      annotations: {
        ...template.metadata?.annotations, [indexKey]: text,
        ...(failures === undefined ? {} : { [failureCountKey]: String(failures.counted) }),
        ...(failures === undefined || failures.ignored === 0 ? {} : { [ignoredCountKey]: String(failures.ignored) }),
      },
    },
    spec: {
      ...spec, hostname: `${name}-${text}`, containers: spec.containers.map(told),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(told) }),
    },
  }, owner, { prefix: `${name}-${text}-` });
};

/** Lets pods go that are counted, or whose Job is gone. */
const releaseTracked = async (pods: readonly Pod[], context: ReconcileContext): Promise<void> => {
  await Promise.all(pods.filter(isTracked).map((pod) => unlessGone(context.client.of(Pod).modify(keyOf(pod), (draft) => {
    if (draft.metadata.uid !== pod.metadata.uid) return;
    const rest = (draft.metadata.finalizers ?? []).filter((one) => one !== trackingFinalizer);
    if (rest.length > 0) draft.metadata.finalizers = rest;
    else delete draft.metadata.finalizers;
  }, { hint: pod }))));
};

/** The counts of a status are steps on from just this status: on any other one they would count twice. */
const writeStatus = async (job: Job, status: JobPlan['status'], context: ReconcileContext): Promise<void> => {
  if (deepEqual(status, job.status)) return;
  await context.client.of(Job).updateStatus({ ...job, status: draftOf(status) });
};

const tell = (job: Job, { ends, status }: JobPlan, context: ReconcileContext): void => {
  if (ends !== undefined && finishedOf(job) === undefined) {
    if (ends.type === 'Complete') context.events.event(job, 'Normal', 'Completed', 'Job completed');
    else context.events.event(job, 'Warning', ends.reason, ends.message);
  }
  const suspended = (of: Job['status']): string | undefined => of?.conditions?.find(({ type }) => type === 'Suspended')?.status;
  if (suspended(status) !== suspended(job.status)) {
    if (suspended(status) === 'True') context.events.event(job, 'Normal', 'Suspended', 'Job suspended');
    else context.events.event(job, 'Normal', 'Resumed', 'Job resumed');
  }
};

/** Deletes a Job whose time after its end is over; else says when that is. */
const expire = async (job: Job, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
  const { ttlSecondsAfterFinished: ttl } = job.spec;
  const endMs = timeMs(finishedOf(job)?.lastTransitionTime);
  if (ttl === undefined || endMs === undefined) return undefined;
  const afterMs = endMs + ttl * 1000 - context.clock.now();
  if (afterMs > 0) return { afterMs };
  try {
    await context.client.of(Job).delete(keyOf(job), { propagationPolicy: 'Foreground', preconditions: { uid: job.metadata.uid, resourceVersion: job.metadata.resourceVersion } });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
  return undefined;
};

/** Index of pods by the Job that owns them, by name: a Job that is gone, or made anew, has left pods behind. */
const byJobName = (pod: Pod): readonly string[] => {
  const owner = controllerOf(pod);
  return owner?.kind === Job.kind && owner.apiVersion.startsWith('batch/') ? [`${pod.metadata.namespace}/${owner.name}`] : [];
};

/** Pods of an earlier Job of the name are held by nobody any more. */
const releaseLeftBehind = (key: Key, uid: string | undefined, context: ReconcileContext): Promise<void> =>
  releaseTracked(context.informer(Pod).by('job', `${key.namespace}/${key.name}`).filter((pod) => controllerOf(pod)?.uid !== uid), context);

export const jobController = (): Controller<Job> => {
  const control = new PodControl();

  const reconcile = async (job: Job, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
    const owner = { object: job, kind: Job, selector: labelMatcher(job.spec.selector) };
    const seen = await control.look(owner, context);
    if (seen === undefined) return { afterMs: behindMs };
    if (job.metadata.deletionTimestamp !== undefined) {
      await releaseTracked(seen.candidates.filter((pod) => controllerOf(pod)?.uid === job.metadata.uid), context);
      return undefined;
    }
    const claimed = claim(job, owner.selector, seen.candidates);
    await control.adopt(owner, claimed.adopt, context);
    await releaseTracked(claimed.release, context);
    await control.release(owner, claimed.release, context);
    const pods = [...claimed.keep, ...claimed.adopt];
    if (finishedOf(job) !== undefined) {
      await releaseTracked(pods, context);
      return expire(job, context);
    }
    const nowMs = context.clock.now();
    const waiting = pods.length > 0 || job.spec.suspend === true || job.status?.startTime !== undefined ? undefined : gate('Job', job, context);
    const conditions = withWaiting(job.status?.conditions, waiting, rfc3339(nowMs));
    if (waiting !== undefined) {
      await writeStatus(job, { ...job.status, ...(conditions === undefined ? {} : { conditions }) }, context);
      return { afterMs: waitMs };
    }
    const plan = planJob({ job: conditions === job.status?.conditions ? job : { ...job, status: { ...job.status, conditions } }, pods, leaving: seen.leaving, nowMs });
    // What this controller deletes is no failure: it is let go before, so that nobody counts it.
    await releaseTracked(plan.remove, context);
    const failure = await control.remove(owner, plan.remove, context) ?? await control.create(owner, plan.create.map((pod) => jobPod(owner, pod)), context);
    await writeStatus(job, failure === undefined ? plan.status : { ...plan.status, active: (plan.status.active ?? 0) - plan.create.length }, context);
    tell(job, plan, context);
    await releaseTracked(plan.release, context);
    if (failure !== undefined) throw failure.error;
    return plan.afterMs === undefined ? undefined : { afterMs: plan.afterMs };
  };

  return {
    name: 'job-controller',
    reconciles: Job,
    owns: [Pod],
    reads: dependencyKinds,
    watches: [{
      kind: Pod, indexes: { controller: byController, job: byJobName },
      map: (pod: Pod, context) => (controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined
        ? context.informer(Job).list(pod.metadata.namespace).filter(({ spec }) => labelMatcher(spec.selector).matches(pod.metadata.labels)).map(keyOf) : []),
    }],
    reconcile: async (job, key, context) => {
      await releaseLeftBehind(key, job?.metadata.uid, context);
      if (job !== undefined) return isOwn(job) ? reconcile(job, context) : undefined;
      return control.forgetGone(context.informer(Job).list());
    },
  };
};
