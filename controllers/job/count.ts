/**
 * Counting pods that have ended, each once, whatever dies in between and whoever deletes them. A pod has a finalizer until
 * it is counted. First its UID is written into the status as uncounted, then its finalizer is taken away, then the UID
 * becomes one more in the number: each step is repeated safely, for what a UID is in says how far it came.
 */
import type { Job, JobStatus } from '../../schemas/kinds/batch/job.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { failuresBefore, indexOf, isLater, parseIndexes, type Failures } from './indexes.ts';
import { isTracked, outcomeOf, verdictOf } from './pod-outcome.ts';

export interface Count {
  /** All that have succeeded, and failed: counted and uncounted ones. Of an indexed Job the number of indexes. */
  readonly succeeded: number;
  readonly failed: number;
  readonly completed: ReadonlySet<number>;
  /** Indexes that are given up. */
  readonly failedIndexes: ReadonlySet<number>;
  /** How often each index failed so far. */
  readonly failuresOf: ReadonlyMap<number, Failures>;
  /** Why the failure policy gives up the whole Job. */
  readonly failJob: string | undefined;
  /** The numbers as the status has them from now on. */
  readonly status: Pick<JobStatus, 'succeeded' | 'failed' | 'uncountedTerminatedPods'>;
  /** Pods that have ended and still have the finalizer. */
  readonly held: readonly Pod[];
  /** Those of them whose finalizer goes once the status is written, while the Job goes on. */
  readonly release: readonly Pod[];
}

const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed';

/** Looks at all pods of the Job. */
export const countPods = (job: Job, pods: readonly Pod[]): Count => {
  const { spec, status = {} } = job;
  const indexed = isIndexed(job);
  const bound = spec.completions ?? 0;
  const completed = parseIndexes(status.completedIndexes, indexed ? bound : 0);
  const failedIndexes = parseIndexes(status.failedIndexes, indexed ? bound : 0);
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid ?? '', pod]));
  const known = { succeeded: status.uncountedTerminatedPods?.succeeded ?? [], failed: status.uncountedTerminatedPods?.failed ?? [] };
  const noted = new Set([...known.succeeded, ...known.failed]);
  const stays = (uid: string): boolean => tracked.has(uid);
  const fresh = { succeeded: [] as string[], failed: [] as string[] };
  const failuresOf = new Map<number, Failures>();
  const held: Pod[] = [];
  let failJob: string | undefined;

  for (const [uid, pod] of tracked) {
    const outcome = outcomeOf(job, pod);
    const index = indexed ? indexOf(pod) : undefined;
    if (outcome === 'running') continue;
    const counts = !indexed || (index !== undefined && index < bound);
    if (outcome === 'succeeded') {
      if (counts && !noted.has(uid) && (index === undefined || !completed.has(index))) fresh.succeeded.push(uid);
      if (counts && index !== undefined) completed.add(index);
      held.push(pod);
      continue;
    }
    const verdict = verdictOf(job, pod);
    if (verdict.action === 'FailJob') failJob ??= verdict.message;
    if (counts && !noted.has(uid) && verdict.action !== 'Ignore') fresh.failed.push(uid);
    if (index !== undefined && counts && spec.backoffLimitPerIndex !== undefined) {
      const before = failuresBefore(pod);
      const failures = verdict.action === 'Ignore' ? { ...before, ignored: before.ignored + 1 } : { ...before, counted: before.counted + 1 };
      const latest = failuresOf.get(index);
      if (latest === undefined || isLater(failures, latest)) failuresOf.set(index, failures);
      if (verdict.action === 'FailIndex' || failures.counted > spec.backoffLimitPerIndex) failedIndexes.add(index);
    }
    held.push(pod);
  }
  for (const index of completed) failedIndexes.delete(index);

  const succeededUids = [...known.succeeded.filter(stays), ...fresh.succeeded];
  const failedUids = [...known.failed.filter(stays), ...fresh.failed];
  const counted = {
    succeeded: indexed ? completed.size : (status.succeeded ?? 0) + known.succeeded.length - known.succeeded.filter(stays).length,
    failed: (status.failed ?? 0) + known.failed.length - known.failed.filter(stays).length,
  };
  return {
    succeeded: indexed ? completed.size : counted.succeeded + succeededUids.length,
    failed: counted.failed + failedUids.length,
    completed, failedIndexes, failuresOf, failJob,
    status: {
      succeeded: counted.succeeded, failed: counted.failed,
      uncountedTerminatedPods: { ...(succeededUids.length === 0 || indexed ? {} : { succeeded: succeededUids }), ...(failedUids.length === 0 ? {} : { failed: failedUids }) },
    },
    held, release: withoutLastFailures(job, pods, held, completed, failedIndexes),
  };
};

/** The last failed pod of an index says how often it failed: it is held until the pod that replaces it is there. */
const withoutLastFailures = (job: Job, pods: readonly Pod[], held: readonly Pod[], completed: ReadonlySet<number>, failedIndexes: ReadonlySet<number>): readonly Pod[] => {
  if (job.spec.backoffLimitPerIndex === undefined) return held;
  return held.filter((pod) => {
    const index = indexOf(pod);
    if (index === undefined || outcomeOf(job, pod) !== 'failed' || completed.has(index) || failedIndexes.has(index)) return true;
    return pods.some((other) => other !== pod && indexOf(other) === index && isLater(failuresBefore(other), failuresBefore(pod)));
  });
};
