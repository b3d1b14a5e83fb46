import type { Draft } from '../frozen.ts';
import type { JobSpec } from '../types/job-spec.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import { preparePodTemplateSpec } from './pod-spec.ts';

/** Label of a Job's pods with the UID of the Job, by which it selects them. */
export const jobUidLabel = 'batch.kubernetes.io/controller-uid';
/** Labels of a Job's pods with the UID and the name of the Job; the first of each is the old word. */
export const jobUidLabels = ['controller-uid', jobUidLabel] as const;
export const jobNameLabels = ['job-name', 'batch.kubernetes.io/job-name'] as const;

/** The largest int32: no limit, for Jobs in which each index has one of its own. */
const noLimit = 2 ** 31 - 1;

/** Defaults of a Job's spec. A CronJob's template has none of them: its Jobs get theirs when they are made. */
export const prepareJobSpec = (spec: Draft<JobSpec>): void => {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.completionMode ??= 'NonIndexed';
  spec.manualSelector ??= false;
  spec.suspend ??= false;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : noLimit;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  preparePodTemplateSpec(spec.template.spec);
};

interface JobLike {
  readonly metadata: ObjectMeta;
  readonly spec: JobSpec;
}

/** A new Job gets a selector that no other has, unless it says that it brings its own; what it says already is for the checks. */
const generateSelector = ({ metadata, spec }: Draft<JobLike>): void => {
  const { name = '', uid = '' } = metadata;
  spec.template.metadata ??= {};
  const names = jobNameLabels.map((key) => [key, name] as const);
  const uids = jobUidLabels.map((key) => [key, uid] as const);
  spec.template.metadata.labels = { ...Object.fromEntries([...names, ...uids]), ...spec.template.metadata.labels };
  spec.selector = { ...spec.selector, matchLabels: { [jobUidLabel]: uid, ...spec.selector?.matchLabels } };
};

/** What a new Job gets: its selector and the labels that go with it, and the labels of its pods where it has none of its own. */
export const generateJobLabels = (job: Draft<JobLike>): void => {
  if (job.spec.manualSelector !== true) generateSelector(job);
  const labels = job.spec.template.metadata?.labels;
  if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
};
