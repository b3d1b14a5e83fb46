import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { wrong } from '../../errors.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { validateLabelSelector } from '../../label-selector.ts';
import { as, int32, int64, intOrString, list, mapOf, object, oneOf, time, type Static } from '../../schema.ts';
import { Condition } from '../../types/condition.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { validateAmountOfPods } from '../../validation/workload.ts';

export const PodDisruptionBudgetSpec = object('policy.v1.PodDisruptionBudgetSpec', 'How many pods must stay.', {
  maxUnavailable: intOrString('How many of the pods may be missing after an eviction, as a number or a percentage; excludes minAvailable.'),
  minAvailable: intOrString('How many of the pods must be there after an eviction, as a number or a percentage.'),
  selector: as(LabelSelector, 'Labels of the pods that are protected; an empty selector means all of the namespace, none at all means none.', { 'x-kubernetes-patch-strategy': 'replace' }),
  unhealthyPodEvictionPolicy: oneOf(['AlwaysAllow', 'IfHealthyBudget'], 'Whether pods that are not ready may always be evicted, or only while the budget is kept.'),
});
export type PodDisruptionBudgetSpec = Static<typeof PodDisruptionBudgetSpec>;

export const PodDisruptionBudgetStatus = object('policy.v1.PodDisruptionBudgetStatus', 'How a budget stands.', {
  conditions: list(Condition, "Aspects of the budget's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  currentHealthy: int32('Pods that are ready.', { minimum: 0 }),
  desiredHealthy: int32('Pods that must be ready.', { minimum: 0 }),
  disruptedPods: mapOf(time('When the eviction was granted.'), 'Pods whose eviction has been granted and not seen yet, by name.'),
  disruptionsAllowed: int32('Pods that may be evicted now.', { minimum: 0 }),
  expectedPods: int32('Pods that the budget counts.', { minimum: 0 }),
  observedGeneration: int64('Generation of the budget that the controller has seen.', { minimum: 0 }),
});
export type PodDisruptionBudgetStatus = Static<typeof PodDisruptionBudgetStatus>;

const schema = topLevel('policy.v1.PodDisruptionBudget', 'Limits how many pods of an application may be evicted at once.', {
  spec: as(PodDisruptionBudgetSpec, 'How many pods must stay.'),
  status: as(PodDisruptionBudgetStatus, 'How the budget stands.'),
});

const orNotSaid = (amount: number | string | undefined): string => (amount === undefined ? 'N/A' : String(amount));

export const PodDisruptionBudget = defineKind(schema, {
  group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', scope: 'Namespaced',
  updateNamesVersion: true,
  shortNames: ['pdb'],
  columns: [
    nameColumn,
    column('Min Available', 'Pods that must be there.', ({ spec }) => orNotSaid(spec?.minAvailable)),
    column('Max Unavailable', 'Pods that may be missing.', ({ spec }) => orNotSaid(spec?.maxUnavailable)),
    column('Allowed Disruptions', 'Pods that may be evicted now.', ({ status }) => status?.disruptionsAllowed ?? 0, { type: 'integer' }),
    ageColumn,
  ],
  subresources: { status: true },
  initialStatus: () => ({ currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }),
  validate: ({ spec = {} }) => [
    ...(spec.minAvailable !== undefined && spec.maxUnavailable !== undefined ? [wrong('spec', spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
    ...(spec.minAvailable === undefined ? [] : validateAmountOfPods(spec.minAvailable, 'spec.minAvailable', 100)),
    ...(spec.maxUnavailable === undefined ? [] : validateAmountOfPods(spec.maxUnavailable, 'spec.maxUnavailable', 100)),
    ...validateLabelSelector(spec.selector, 'spec.selector'),
  ],
});
export type PodDisruptionBudget = BodyOf<typeof PodDisruptionBudget>;
