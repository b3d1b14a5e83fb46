/** Cells of `get jobs`. */
import { isConditionTrue, type AnyCondition } from '../conditions.ts';
import { humanDuration } from '../table-cells.ts';
import { timeMs } from '../timestamps.ts';

/** What a Job is doing, in one word. */
export const jobStatusWord = (conditions: readonly AnyCondition[] | undefined, deleted: boolean): string => {
  const has = (type: string): boolean => isConditionTrue(conditions, type);
  const ended = ['Complete', 'Failed'].find(has);
  if (ended !== undefined) return ended;
  if (deleted) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
};

/** `2/5`; without a wanted number the pods agree on the end themselves: `0/1 of 3`. */
export const jobProgress = ({ completions, parallelism = 1 }: { readonly completions?: number | undefined; readonly parallelism?: number | undefined }, succeeded: number): string =>
  completions !== undefined ? `${succeeded}/${completions}` : parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;

/** From the start to the end or to now; empty before the start. */
export const jobDuration = (status: { readonly startTime?: string | undefined; readonly completionTime?: string | undefined } | undefined, nowMs: number): string => {
  const startMs = timeMs(status?.startTime);
  return startMs === undefined ? '' : humanDuration((timeMs(status?.completionTime) ?? nowMs) - startMs);
};
