/** What the end of a pod means for its Job. */
import { conditionOf } from '../../schemas/conditions.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import type { Job } from '../../schemas/kinds/batch/job.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodFailurePolicyRule } from '../../schemas/types/job-spec.ts';
import { isTerminating } from '../pod-state.ts';

/** Holds a pod until it is counted, so that nothing that happens to it is missed. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) === true;

export type Outcome = 'succeeded' | 'failed' | 'running';

/** A pod that is being deleted counts as failed at once, unless the Job waits for the end of what it replaces. */
export const outcomeOf = (job: Job, pod: Pod): Outcome => {
  if (pod.status?.phase === 'Succeeded') return 'succeeded';
  if (pod.status?.phase === 'Failed') return 'failed';
  return isTerminating(pod) && job.spec.podReplacementPolicy !== 'Failed' ? 'failed' : 'running';
};

/** When a pod ended, in Unix milliseconds: its last container's end, or the closest to it that is known. */
export const endedAtMs = (pod: Pod, nowMs: number): number => {
  const ends = (pod.status?.containerStatuses ?? []).flatMap(({ state }) => timeMs(state?.terminated?.finishedAt) ?? []);
  if (ends.length > 0) return Math.max(...ends);
  return timeMs(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime) ?? timeMs(pod.metadata.deletionTimestamp) ?? nowMs;
};

export interface Verdict {
  readonly action: PodFailurePolicyRule['action'];
  /** Why, for people; only of FailJob. */
  readonly message?: string;
}

/** What the Job's failure policy says of a failed pod: the first rule that fits, else it counts. */
export const verdictOf = (job: Job, pod: Pod): Verdict => {
  const rules = job.spec.podFailurePolicy?.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    const why = rule.onExitCodes === undefined ? conditionFits(rule, pod) : exitCodeFits(rule, pod);
    if (why === undefined) continue;
    return rule.action === 'FailJob' ? { action: 'FailJob', message: `${why} matching FailJob rule at index ${index}` } : { action: rule.action };
  }
  return { action: 'Count' };
};

const exitCodeFits = ({ onExitCodes }: PodFailurePolicyRule, pod: Pod): string | undefined => {
  const { containerName, operator, values } = onExitCodes!;
  for (const { name, state } of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) {
    const exitCode = state?.terminated?.exitCode;
    if (exitCode === undefined || exitCode === 0 || (containerName !== undefined && containerName !== name)) continue;
    if (values.includes(exitCode) === (operator === 'In')) return `Container ${name} for pod ${pod.metadata.namespace}/${pod.metadata.name} failed with exit code ${exitCode}`;
  }
  return undefined;
};

const conditionFits = ({ onPodConditions = [] }: PodFailurePolicyRule, pod: Pod): string | undefined => {
  const found = onPodConditions.find(({ type, status = 'True' }) => conditionOf(pod.status?.conditions, type)?.status === status);
  return found === undefined ? undefined : `Pod ${pod.metadata.namespace}/${pod.metadata.name} has condition ${found.type}`;
};
