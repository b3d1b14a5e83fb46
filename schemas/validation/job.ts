import { duplicate, refused, required, tooLong, unsupported, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { JobStatus } from '../kinds/batch/job.ts';
import { labelMatcher, validateLabelSelector } from '../label-selector.ts';
import { isDomainPrefixed, whyNotDnsLabel, whyNotQualifiedName } from '../names.ts';
import { jobNameLabels, jobUidLabels } from '../prepare/job.ts';
import type { JobSpec, PodFailurePolicyRule } from '../types/job-spec.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import type { PodTemplateSpec } from '../types/pod-spec.ts';
import { validatePodTemplate } from './pod-spec.ts';

interface JobLike {
  readonly metadata: ObjectMeta;
  readonly spec: JobSpec;
  readonly status?: JobStatus | undefined;
}

/** Kubernetes' limits: pods of an indexed Job at once, completions of one that counts failures by index, exit codes of a rule. */
export const maxIndexedParallelism = 100_000;
const maxIndexedCompletions = 100_000;
const maxExitCodes = 255;

/** Indexes such as `1,3-5`: in ascending order and below the number of completions. The reason why not, or undefined. */
export const whyNotIndexes = (text: string, completions: number): string | undefined => {
  let last = -1;
  for (const part of text.split(',')) {
    const [first = '', end = first, ...more] = part.split('-');
    if (more.length > 0 || !/^\d{1,9}$/.test(first) || !/^\d{1,9}$/.test(end)) return `cannot read ${JSON.stringify(part)}: must be a number or a range (for example '1,3-5')`;
    if (Number(first) <= last || Number(end) < Number(first)) return 'must be in ascending order, without repeats';
    last = Number(end);
  }
  return last >= completions ? `must be below the number of completions, ${completions}` : undefined;
};

const validateExitCodes = ({ onExitCodes: codes }: PodFailurePolicyRule, containers: ReadonlySet<string>, field: string): readonly FieldError[] => {
  if (codes === undefined) return [];
  const { values, containerName, operator } = codes;
  return [
    ...(values.length === 0 ? [wrong(`${field}.values`, values, 'at least one value is required')] : []),
    ...(values.length > maxExitCodes ? [wrong(`${field}.values`, values.length, `must have at most ${maxExitCodes} values`)] : []),
    ...values.flatMap((value, index) => {
      const at = `${field}.values[${index}]`;
      if (operator === 'In' && value === 0) return [wrong(at, value, 'must not be 0 for the In operator')];
      return values.indexOf(value) < index ? [duplicate(at, value)] : [];
    }),
    ...(values.some((value, index) => index > 0 && value < (values[index - 1] ?? value)) ? [wrong(`${field}.values`, values, 'must be ordered')] : []),
    ...(containerName !== undefined && !containers.has(containerName)
      ? [wrong(`${field}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template')] : []),
  ];
};

const validateFailurePolicy = (spec: JobSpec, field: string): readonly FieldError[] => {
  const { initContainers = [], containers } = spec.template.spec;
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  return [
    ...(spec.podFailurePolicy !== undefined && spec.template.spec.restartPolicy !== 'Never' ? [wrong(`${field}.template.spec.restartPolicy`, spec.template.spec.restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')] : []),
    ...(spec.podFailurePolicy !== undefined && spec.podReplacementPolicy !== undefined && spec.podReplacementPolicy !== 'Failed' ? [unsupported(`${field}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed'])] : []),
    ...(spec.podFailurePolicy?.rules ?? []).flatMap((rule, index) => {
      const at = `${field}.podFailurePolicy.rules[${index}]`;
      const conditions = rule.onPodConditions ?? [];
      return [
        ...(rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined ? [wrong(`${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set')] : []),
        ...(rule.onExitCodes === undefined && conditions.length === 0 ? [wrong(at, rule, 'specifying one of OnExitCodes and OnPodConditions is required')] : []),
        ...(rule.onExitCodes !== undefined && conditions.length > 0 ? [wrong(at, rule, 'specifying both OnExitCodes and OnPodConditions is not supported')] : []),
        ...(conditions.length > 20 ? [wrong(`${at}.onPodConditions`, conditions.length, 'must have at most 20 patterns')] : []),
        ...validateExitCodes(rule, names, `${at}.onExitCodes`),
        ...conditions.flatMap(({ type, status = 'True' }, place) => [
          ...refused(`${at}.onPodConditions[${place}].type`, type, whyNotQualifiedName(type)),
          ...(['True', 'False', 'Unknown'].includes(status) ? [] : [unsupported(`${at}.onPodConditions[${place}].status`, status, ['False', 'True', 'Unknown'])]),
        ]),
      ];
    }),
  ];
};

const validateSuccessPolicy = (spec: JobSpec, field: string): readonly FieldError[] => {
  const { successPolicy, completions = 0 } = spec;
  if (successPolicy === undefined) return [];
  if (spec.completionMode !== 'Indexed') return [wrong(`${field}.successPolicy`, successPolicy, 'requires indexed completion mode')];
  if (successPolicy.rules.length === 0) return [required(`${field}.successPolicy.rules`, 'at least one rules must be specified when the successPolicy is specified')];
  return successPolicy.rules.flatMap((rule, index) => {
    const at = `${field}.successPolicy.rules[${index}]`;
    const { succeededCount: count, succeededIndexes: indexes } = rule;
    if (count === undefined && indexes === undefined) return [required(at, 'at least one of succeededCount or succeededIndexes must be specified')];
    return [
      ...(count !== undefined && (count < 1 || count > completions) ? [wrong(`${at}.succeededCount`, count, `must be between 1 and the number of completions, ${completions}`)] : []),
      ...(indexes === undefined ? [] : refused(`${at}.succeededIndexes`, indexes, whyNotIndexes(indexes, completions))),
    ];
  });
};

const validateIndexed = (spec: JobSpec, field: string): readonly FieldError[] => {
  const { completions, parallelism = 1, backoffLimitPerIndex: perIndex, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  if (spec.completionMode === 'Indexed') {
    if (completions === undefined) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
    if (parallelism > maxIndexedParallelism) errors.push(wrong(`${field}.parallelism`, parallelism, `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`));
    if (perIndex !== undefined && (completions ?? 0) > maxIndexedCompletions && maxFailedIndexes === undefined) errors.push(required(`${field}.maxFailedIndexes`, `must be specified when completions is above ${maxIndexedCompletions}`));
    if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions) errors.push(wrong(`${field}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
  } else {
    if (perIndex !== undefined) errors.push(wrong(`${field}.backoffLimitPerIndex`, perIndex, 'requires indexed completion mode'));
    if (maxFailedIndexes !== undefined) errors.push(wrong(`${field}.maxFailedIndexes`, maxFailedIndexes, 'requires indexed completion mode'));
  }
  if (maxFailedIndexes !== undefined && perIndex === undefined) errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  return errors;
};

/** What holds of every Job's spec, also within a CronJob; `field` is its path. */
export const validateJobSpec = (spec: JobSpec, field: string): readonly FieldError[] => {
  const { managedBy, template } = spec;
  const why = managedBy === undefined ? undefined
    : whyNotQualifiedName(managedBy) ?? (isDomainPrefixed(managedBy) ? undefined : "must be a name with a domain (for example 'example.com/controller')");
  return [
    ...(managedBy === undefined ? [] : managedBy.length > 63 ? [tooLong(`${field}.managedBy`, 63)] : refused(`${field}.managedBy`, managedBy, why)),
    ...validateIndexed(spec, field),
    ...validatePodTemplate(template, `${field}.template`),
    ...(template.spec.restartPolicy === 'Always' ? [required(`${field}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"')] : []),
    ...validateFailurePolicy(spec, field),
    ...validateSuccessPolicy(spec, field),
  ];
};

/** The selector of a Job: made by the server it must be this Job's own, else at least that of its pods. */
const validateSelector = ({ metadata, spec }: JobLike): readonly FieldError[] => {
  if (spec.selector === undefined) return [required('spec.selector')];
  const labels = spec.template.metadata?.labels ?? {};
  const errors = [...validateLabelSelector(spec.selector, 'spec.selector')];
  if (spec.manualSelector !== true) {
    const expected = [...jobUidLabels.map((key) => [key, metadata.uid ?? ''] as const), ...jobNameLabels.map((key) => [key, metadata.name ?? ''] as const)];
    for (const [key, value] of expected) {
      const field = `spec.template.metadata.labels[${key}]`;
      if (labels[key] === undefined) errors.push(required(field, `must be '${value}'`));
      else if (labels[key] !== value) errors.push(wrong(field, labels[key], `must be '${value}'`));
    }
  }
  if (errors.length === 0 && !labelMatcher(spec.selector).matches(labels)) {
    errors.push(spec.manualSelector === true ? wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')
      : wrong('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
  return errors;
};

/** Where its pods may run can be changed while a Job is suspended and has not started. */
const withoutPlace = (template: PodTemplateSpec): object => {
  const { nodeSelector: _nodeSelector, affinity: _affinity, tolerations: _tolerations, schedulingGates: _gates, ...spec } = template.spec;
  const { annotations: _annotations, labels: _labels, ...metadata } = template.metadata ?? {};
  return { ...template, metadata, spec };
};

const fixed = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

const validateUpdate = ({ spec }: JobLike, old: JobLike): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const { completions, parallelism } = spec;
  if (completions !== old.spec.completions) {
    if (spec.completionMode !== 'Indexed') errors.push(wrong('spec.completions', completions ?? null, 'field is immutable'));
    else if (completions !== parallelism || old.spec.completions !== old.spec.parallelism) {
      errors.push(wrong('spec.completions', completions ?? null, `can only be modified in tandem with spec.parallelism and must be equal to it`));
    }
  }
  for (const name of fixed) if (!deepEqual(spec[name], old.spec[name])) errors.push(wrong(`spec.${name}`, spec[name] ?? null, 'field is immutable'));
  const movable = old.spec.suspend === true && old.status?.startTime === undefined;
  const same = movable ? deepEqual(withoutPlace(spec.template), withoutPlace(old.spec.template)) : deepEqual(spec.template, old.spec.template);
  if (!same) errors.push(wrong('spec.template', spec.template, 'field is immutable'));
  return errors;
};

/** Every wrong field of a Job. What it does cannot change once it is there; how much at a time can. */
export const validateJob = (job: JobLike, old: JobLike | undefined): readonly FieldError[] => {
  const { metadata: { name = '' }, spec } = job;
  const hostname = `${name}-${(spec.completions ?? 1) - 1}`;
  return [
    ...validateJobSpec(spec, 'spec'),
    ...(old === undefined ? validateSelector(job) : validateUpdate(job, old)),
    // The pods of an indexed Job are hosts of their own.
    ...(old === undefined && spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0 ? refused('metadata.name', name, whyNotDnsLabel(hostname)) : []),
  ];
};

/** A Job cannot have ended well and badly, nor have ended before it began. */
export const validateJobStatus = (status: JobStatus): readonly FieldError[] => {
  const has = (type: string): boolean => status.conditions?.some((one) => one.type === type && one.status === 'True') === true;
  const errors: FieldError[] = [];
  if (has('Complete') && has('Failed')) errors.push(wrong('status.conditions', 'Complete', 'cannot set Complete=True and Failed=True conditions'));
  if (status.completionTime !== undefined && !has('Complete')) errors.push(wrong('status.completionTime', status.completionTime, 'cannot set completionTime when there is no Complete=True condition'));
  if (status.completionTime !== undefined && status.startTime !== undefined && status.completionTime < status.startTime) errors.push(wrong('status.completionTime', status.completionTime, 'completionTime cannot be set before startTime'));
  if ((status.ready ?? 0) > (status.active ?? 0)) errors.push(wrong('status.ready', status.ready, 'must be less than or equal to active'));
  if (status.uncountedTerminatedPods !== undefined) {
    const { failed = [], succeeded = [] } = status.uncountedTerminatedPods;
    const both = succeeded.findIndex((uid) => failed.includes(uid));
    if (both >= 0) errors.push(duplicate(`status.uncountedTerminatedPods.succeeded[${both}]`, succeeded[both]));
  }
  return errors;
};

/** A template from which Jobs are made: the server makes their selectors. */
export const validateJobTemplate = (spec: JobSpec, field: string): readonly FieldError[] => [
  ...validateJobSpec(spec, field),
  ...(spec.selector === undefined ? [] : [wrong(`${field}.selector`, spec.selector, '`selector` will be auto-generated')]),
  ...(spec.manualSelector === true ? [unsupported(`${field}.manualSelector`, true, ['nil', 'false'])] : []),
];
