import type { ReconcileContext } from '../../client/controller.ts';
import { conditionOf, type AnyCondition } from '../../schemas/conditions.ts';
import type { Kind } from '../../schemas/kind.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { annotationNames, type DependencyKind } from '../../schemas/rollout-annotations.ts';
import { waitingCondition, waitingFor, type Neighbours, type Waiting, type Workload } from './plan.ts';

/** Kinds that workloads can wait for: what a controller whose objects wait must read. */
export const dependencyKinds = [Deployment, StatefulSet, DaemonSet, Job];

/** Another look at a workload that waits. It costs a few looks at copies; the kinds that are waited for wake nobody. */
export const waitMs = 1_000;

const kinds: Readonly<Record<DependencyKind, unknown>> = { Deployment, StatefulSet, DaemonSet, Job };

const neighboursOf = (namespace: string | undefined, context: ReconcileContext): Neighbours => ({
  find: (kind, name) => context.informer(kinds[kind] as Kind<Workload>).get({ namespace, name }),
  startedPods: ({ spec }) => {
    const selector = labelMatcher(spec.selector);
    return context.informer(Pod).list(namespace).filter(({ metadata, status }) => (status?.phase ?? 'Pending') !== 'Pending' && metadata.deletionTimestamp === undefined && selector.matches(metadata.labels)).length;
  },
});

/**
 * Why a workload without pods may not make its first ones; undefined when it may. Tells of it in an event whenever what it
 * waits for changes.
 */
export const gate = (kind: DependencyKind, workload: Workload, context: ReconcileContext): Waiting | undefined => {
  if (workload.metadata.annotations?.[annotationNames.dependsOn] === undefined) return undefined;
  const waiting = waitingFor(kind, workload, neighboursOf(workload.metadata.namespace, context));
  const told = conditionOf<AnyCondition>(workload.status?.conditions, waitingCondition);
  if (waiting !== undefined && waiting.message !== told?.message) context.events.event(workload, waiting.reason === 'DependencyCycle' ? 'Warning' : 'Normal', waitingCondition, waiting.message);
  return waiting;
};
