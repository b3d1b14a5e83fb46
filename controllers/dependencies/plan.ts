/** What workloads wait for before their first pods are made (docs/design/rollouts.md). */
import { conditionOf, isConditionTrue, withCondition, withoutCondition, type AnyCondition } from '../../schemas/conditions.ts';
import { dependencyCircle, workloadText } from '../../schemas/dependency-circle.ts';
import type { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import type { Job } from '../../schemas/kinds/batch/job.ts';
import { dependenciesOf, type Dependency, type DependencyKind } from '../../schemas/rollout-annotations.ts';

export type Workload = Deployment | StatefulSet | DaemonSet | Job;

/** What is known of the workloads of one namespace. */
export interface Neighbours {
  find(kind: DependencyKind, name: string): Workload | undefined;
  /** Pods of a workload whose containers have begun. */
  startedPods(workload: Workload): number;
}

/** Why a workload does not start yet, in the words of a condition. */
export interface Waiting {
  readonly reason: 'DependenciesNotMet' | 'DependencyCycle';
  readonly message: string;
}

interface Count {
  readonly wanted: number;
  readonly ready: number;
}

const isJob = (workload: Workload): workload is Job => workload.kind === 'Job';
const isDaemonSet = (workload: Workload): workload is DaemonSet => workload.kind === 'DaemonSet';

const countOf = (workload: Workload): Count => {
  if (isJob(workload)) return { wanted: 1, ready: workload.status?.ready ?? 0 };
  if (isDaemonSet(workload)) return { wanted: workload.status?.desiredNumberScheduled ?? 0, ready: workload.status?.numberReady ?? 0 };
  return { wanted: workload.spec.replicas ?? 1, ready: workload.status?.readyReplicas ?? 0 };
};

/** A status of before the last change says nothing of what is wanted now. A Job's has no generation. */
const isObserved = (workload: Workload): boolean => isJob(workload) || (workload.status?.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);

/** Why a dependency is not met; undefined when it is. */
const unmet = (dependency: Dependency, neighbours: Neighbours): string | undefined => {
  const workload = neighbours.find(dependency.kind, dependency.name);
  const to = `${workloadText(dependency)} to be ${dependency.state}`;
  if (workload === undefined || workload.metadata.deletionTimestamp !== undefined) return `${to} (it is not there)`;
  if (isJob(workload)) {
    if (isConditionTrue(workload.status?.conditions, 'Complete')) return undefined;
    if (isConditionTrue(workload.status?.conditions, 'Failed')) return `${to} (it has failed)`;
    if (dependency.state === 'completed') return `${to} (${workload.status?.succeeded ?? 0} of ${workload.spec.completions ?? 1} pods have succeeded)`;
  }
  if (!isObserved(workload)) return `${to} (its last change is not seen yet)`;
  const { wanted, ready } = countOf(workload);
  const so = dependency.state === 'started' ? neighbours.startedPods(workload) : ready;
  return so >= wanted ? undefined : `${to} (${so} of ${wanted} pods are)`;
};

/** Why a workload may not start; undefined when all that it waits for is there. */
export const waitingFor = (kind: DependencyKind, workload: Workload, neighbours: Neighbours): Waiting | undefined => {
  const missing = dependenciesOf(workload.metadata.annotations).map((one) => unmet(one, neighbours)).filter((one) => one !== undefined);
  if (missing.length === 0) return undefined;
  const cycle = dependencyCircle(kind, workload.metadata, (of, name) => neighbours.find(of, name)?.metadata);
  if (cycle !== undefined) return { reason: 'DependencyCycle', message: `can never start: ${cycle.join(' waits for ')}` };
  return { reason: 'DependenciesNotMet', message: `waits for ${missing.join(', ')}` };
};

export const waitingCondition = 'WaitingForDependencies';

/** Conditions that say what is waited for, or no longer. Undefined where none is left; the same array where nothing changes. */
export const withWaiting = <C extends AnyCondition>(conditions: readonly C[] | undefined, waiting: Waiting | undefined, now: string): readonly C[] | undefined => {
  if (waiting !== undefined) return withCondition<AnyCondition>(conditions, { type: waitingCondition, status: 'True', ...waiting }, now) as readonly C[];
  if (conditionOf(conditions, waitingCondition) === undefined) return conditions;
  const left = withoutCondition(conditions, waitingCondition);
  return left.length === 0 ? undefined : left;
};
