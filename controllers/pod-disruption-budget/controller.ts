/**
 * Keeps the numbers by which the API server decides about evictions. An eviction charges the budget in the transaction
 * that lets the pod go; this controller gives back what it charged when other pods have taken over. Its write fails when
 * an eviction was faster, for it names the version of the budget that it looked at.
 */
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import type { Key } from '../../client/client.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import type { Registry } from '../../schemas/registry.ts';
import { unlessGone } from '../ensure.ts';
import { needsScale, standing } from './plan.ts';
import { scaledKinds, scaleOf } from './scale.ts';

const keysOf = (budgets: readonly PodDisruptionBudget[]): readonly Key[] => budgets.map(({ metadata: { namespace, name = '' } }) => ({ namespace, name }));

const guards = ({ spec }: PodDisruptionBudget, pod: Pod): boolean => spec?.selector !== undefined && labelMatcher(spec.selector).matches(pod.metadata.labels);

/** The status of every PodDisruptionBudget. */
export const podDisruptionBudgetController = (registry: Registry): Controller<PodDisruptionBudget> => ({
  name: 'disruption-controller',
  reconciles: PodDisruptionBudget,
  watches: [
    { kind: Pod, map: (pod: Pod, context) => keysOf(context.informer(PodDisruptionBudget).list(pod.metadata.namespace).filter((budget) => guards(budget, pod))) },
    ...scaledKinds.map((kind) => ({ kind, map: ({ metadata }: ApiObject, context: ReconcileContext) => keysOf(context.informer(PodDisruptionBudget).list(metadata.namespace).filter(needsScale)) })),
  ],
  reconcile: async (budget, _key, context) => {
    if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = context.informer(Pod).list(budget.metadata.namespace).filter((pod) => guards(budget, pod));
    const { scale, alone } = needsScale(budget) ? await scaleOf(pods, registry, context) : { scale: 0, alone: [] };
    const { status, stayed, againInMs } = standing(budget, { pods, scale, nowMs: context.clock.now() });
    if (status !== undefined) {
      if (pods.length === 0) context.events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
      if (alone.length > 0) context.events.event(budget, 'Warning', 'UnmanagedPods', `Pods selected by this PodDisruptionBudget (selector: ${String(labelMatcher(budget.spec?.selector))}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior.`);
      if (typeof scale === 'object') context.events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${scale.unknown}`);
      for (const pod of stayed) context.events.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${budget.metadata.namespace}/${budget.metadata.name} to be deleted but it wasn't`);
      await unlessGone(context.client.of(PodDisruptionBudget).updateStatus({ ...budget, status }));
    }
    return againInMs === undefined ? undefined : { afterMs: againInMs };
  },
});
