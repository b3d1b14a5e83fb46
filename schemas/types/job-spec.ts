import { as, boolean, int32, int64, list, object, oneOf, string, type Static } from '../schema.ts';
import { LabelSelector } from './label-selector.ts';
import { ObjectMeta } from './object-meta.ts';
import { PodTemplateSpec } from './pod-spec.ts';

export const PodFailurePolicyOnExitCodesRequirement = object('batch.v1.PodFailurePolicyOnExitCodesRequirement', 'Chooses failed pods by the exit codes of their containers.', {
  containerName: string('The container that counts; all of them where absent.'),
  operator: oneOf(['In', 'NotIn'], 'Whether the exit code must be one of the values or none of them.'),
  values: list(int32('Exit code.'), 'Exit codes, in ascending order; 0 cannot be in a list for In.', { listType: 'set' }),
}, ['operator', 'values']);
export type PodFailurePolicyOnExitCodesRequirement = Static<typeof PodFailurePolicyOnExitCodesRequirement>;

export const PodFailurePolicyOnPodConditionsPattern = object('batch.v1.PodFailurePolicyOnPodConditionsPattern', 'Chooses failed pods by a condition that they have.', {
  status: string('Status that the condition must have: True, False or Unknown.', { default: 'True' }),
  type: string('Type of the condition.'),
}, ['type']);
export type PodFailurePolicyOnPodConditionsPattern = Static<typeof PodFailurePolicyOnPodConditionsPattern>;

export const PodFailurePolicyRule = object('batch.v1.PodFailurePolicyRule', 'What a failed pod means, if it is one of these.', {
  action: oneOf(['Count', 'FailIndex', 'FailJob', 'Ignore'], 'Count it as a failure, give up its index, give up the whole Job, or start another without counting.'),
  onExitCodes: as(PodFailurePolicyOnExitCodesRequirement, 'Exit codes for which the rule is made.'),
  onPodConditions: list(PodFailurePolicyOnPodConditionsPattern, 'Conditions for which the rule is made; any one will do.', { listType: 'atomic' }),
}, ['action']);
export type PodFailurePolicyRule = Static<typeof PodFailurePolicyRule>;

export const PodFailurePolicy = object('batch.v1.PodFailurePolicy', 'What failed pods mean for a Job.', {
  rules: list(PodFailurePolicyRule, 'Rules; the first that fits a pod counts, at most 20.', { listType: 'atomic', maxItems: 20 }),
}, ['rules']);
export type PodFailurePolicy = Static<typeof PodFailurePolicy>;

export const SuccessPolicyRule = object('batch.v1.SuccessPolicyRule', 'One way for a Job to have succeeded.', {
  succeededCount: int32('How many indexes must have succeeded.'),
  succeededIndexes: string('Indexes that must have succeeded, such as 1,3-5.'),
});
export type SuccessPolicyRule = Static<typeof SuccessPolicyRule>;

export const SuccessPolicy = object('batch.v1.SuccessPolicy', 'When a Job counts as complete before all its indexes are.', {
  rules: list(SuccessPolicyRule, 'Rules, of which any one is enough; at most 20.', { listType: 'atomic', maxItems: 20 }),
}, ['rules']);
export type SuccessPolicy = Static<typeof SuccessPolicy>;

const amount = { minimum: 0 } as const;

export const JobSpec = object('batch.v1.JobSpec', 'What a Job is to get done.', {
  activeDeadlineSeconds: int64('Seconds after its start at which the Job is given up.', amount),
  backoffLimit: int32('How many pods may fail before the Job does; 6 where absent, or no limit where each index has one.', amount),
  backoffLimitPerIndex: int32('How many pods of one index may fail before the index does.', amount),
  completionMode: oneOf(['Indexed', 'NonIndexed'], 'Whether each completion has a number of its own, which its pod is told; NonIndexed where absent.'),
  completions: int32('How many pods must succeed; absent means that one is enough and the pods agree on the end among themselves.', amount),
  managedBy: string('Controller that looks after the Job; that of the cluster where absent. Cannot be changed.'),
  manualSelector: boolean('True to choose selector and labels oneself, which is seldom right.'),
  maxFailedIndexes: int32('How many indexes may fail before the Job does.', amount),
  parallelism: int32('How many pods may run at once.', amount),
  podFailurePolicy: as(PodFailurePolicy, 'What failed pods mean; all count as failures where absent.'),
  podReplacementPolicy: oneOf(['Failed', 'TerminatingOrFailed'], 'Whether a pod is replaced when it has failed or already when it is being deleted.'),
  selector: as(LabelSelector, 'Labels of the pods that belong to the Job; made by the server.'),
  successPolicy: as(SuccessPolicy, 'When the Job counts as complete before all its indexes are.'),
  suspend: boolean('True to stop the pods and start no more.'),
  template: as(PodTemplateSpec, 'The pods that are made.', { 'x-barge-default-object': true }),
  ttlSecondsAfterFinished: int32('Seconds after the end of the Job at which it is deleted; never where absent.', amount),
}, ['template']);
export type JobSpec = Static<typeof JobSpec>;

export const JobTemplateSpec = object('batch.v1.JobTemplateSpec', 'A pattern from which Jobs are made.', {
  metadata: as(ObjectMeta, 'Labels and annotations of the Jobs.', { 'x-barge-default-object': true }),
  spec: as(JobSpec, 'What the Jobs are to get done.', { 'x-barge-default-object': true }),
}, ['spec']);
export type JobTemplateSpec = Static<typeof JobTemplateSpec>;
