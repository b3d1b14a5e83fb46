/** Whether a Job is at its end, and why: the rules that give it up and those by which it has succeeded. */
import type { Job } from '../../schemas/kinds/batch/job.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { isActive } from '../pod-state.ts';
import type { Count } from './count.ts';
import { parseIndexes } from './indexes.ts';

/** The end that a Job has come to; its pods may still have to stop. */
export interface JobEnd {
  readonly type: 'Failed' | 'Complete';
  readonly reason: string;
  readonly message: string;
}

const failed = (reason: string, message: string): JobEnd => ({ type: 'Failed', reason, message });
const complete = (reason: string, message: string): JobEnd => ({ type: 'Complete', reason, message });

/** Restarts of containers of pods that are restarted in place, which count against the limit as failed pods do. */
const restartsOf = (pods: readonly Pod[]): number => pods.filter(isActive)
  .flatMap(({ status }) => [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])])
  .reduce((sum, { restartCount }) => sum + restartCount, 0);

const whyFailed = (job: Job, pods: readonly Pod[], count: Count, nowMs: number): JobEnd | undefined => {
  const { spec, status } = job;
  const { backoffLimit = 6, activeDeadlineSeconds, maxFailedIndexes, completions } = spec;
  if (count.failJob !== undefined) return failed('PodFailurePolicy', count.failJob);
  const restarts = spec.template.spec.restartPolicy === 'OnFailure' ? restartsOf(pods) : 0;
  const isOver = restarts > 0 && (backoffLimit === 0 || restarts >= backoffLimit);
  if (count.failed > backoffLimit || isOver) return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const startMs = timeMs(status?.startTime);
  if (activeDeadlineSeconds !== undefined && startMs !== undefined && spec.suspend !== true && nowMs >= startMs + activeDeadlineSeconds * 1000) {
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  if (maxFailedIndexes !== undefined && count.failedIndexes.size > maxFailedIndexes) return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  if (spec.backoffLimitPerIndex !== undefined && count.failedIndexes.size > 0 && count.failedIndexes.size + count.completed.size >= (completions ?? 0)) return failed('FailedIndexes', 'Job has failed indexes');
  return undefined;
};

const whyComplete = ({ spec }: Job, pods: readonly Pod[], { succeeded, completed }: Count): JobEnd | undefined => {
  for (const [index, rule] of (spec.successPolicy?.rules ?? []).entries()) {
    const wanted = rule.succeededIndexes === undefined ? undefined : parseIndexes(rule.succeededIndexes, spec.completions ?? 0);
    const done = wanted === undefined ? completed.size : [...wanted].filter((one) => completed.has(one)).length;
    if (done >= (rule.succeededCount ?? wanted?.size ?? Infinity)) return complete('SuccessPolicy', `Matched rules at index ${index}`);
  }
  const isDone = spec.completions === undefined ? succeeded > 0 && !pods.some(isActive) : succeeded >= spec.completions;
  return isDone ? complete('CompletionsReached', 'Reached expected number of succeeded pods') : undefined;
};

/** The end that the Job has come to; undefined while it goes on. What was decided before stays so. */
export const endOf = (job: Job, pods: readonly Pod[], count: Count, nowMs: number): JobEnd | undefined => {
  for (const [type, as] of [['FailureTarget', 'Failed'], ['SuccessCriteriaMet', 'Complete']] as const) {
    const decided = job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
    if (decided !== undefined) return { type: as, reason: decided.reason ?? '', message: decided.message ?? '' };
  }
  return whyFailed(job, pods, count, nowMs) ?? whyComplete(job, pods, count);
};

/** The condition that says that a Job has ended for good, if it has. */
export const finishedOf = ({ status }: Job) => status?.conditions?.find(({ type, status: said }) => (type === 'Complete' || type === 'Failed') && said === 'True');
