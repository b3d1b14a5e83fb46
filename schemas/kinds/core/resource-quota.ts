import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, list, mapOf, object, quantity, string, type Static } from '../../schema.ts';
import { validateQuotaAmounts, validateResourceQuotaSpec } from '../../validation/resource-quota.ts';

export const ScopedResourceSelectorRequirement = object('core.v1.ScopedResourceSelectorRequirement', 'One condition on what is counted.', {
  operator: string('In, NotIn, Exists or DoesNotExist.'),
  scopeName: string('Scope that the condition is about, such as PriorityClass.'),
  values: list(string('Value.'), 'Values for In and NotIn; empty for the others.', { listType: 'atomic' }),
}, ['operator', 'scopeName']);
export type ScopedResourceSelectorRequirement = Static<typeof ScopedResourceSelectorRequirement>;

export const ScopeSelector = object('core.v1.ScopeSelector', 'Chooses what is counted; all conditions must hold.', {
  matchExpressions: list(ScopedResourceSelectorRequirement, 'The conditions.', { listType: 'atomic' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type ScopeSelector = Static<typeof ScopeSelector>;

export const ResourceQuotaSpec = object('core.v1.ResourceQuotaSpec', 'How much a namespace may use altogether.', {
  hard: mapOf(quantity('Amount.'), 'Most of each resource, such as pods, requests.cpu or count/jobs.batch.'),
  scopeSelector: as(ScopeSelector, 'Chooses what is counted, by scopes that can have values.'),
  scopes: list(string('Scope.'), 'Only objects in all of these scopes are counted; cannot be changed.', { listType: 'atomic' }),
});
export type ResourceQuotaSpec = Static<typeof ResourceQuotaSpec>;

export const ResourceQuotaStatus = object('core.v1.ResourceQuotaStatus', 'How much of a quota is used.', {
  hard: mapOf(quantity('Amount.'), 'Limits that are in force.'),
  used: mapOf(quantity('Amount.'), 'What is used at present.'),
});
export type ResourceQuotaStatus = Static<typeof ResourceQuotaStatus>;

const schema = topLevel('core.v1.ResourceQuota', 'Says how much a namespace may use altogether.', {
  spec: as(ResourceQuotaSpec, 'The limits.'),
  status: as(ResourceQuotaStatus, 'What is used of them.'),
});

const usage = (status: ResourceQuotaStatus | undefined, which: (name: string) => boolean): string =>
  Object.entries(status?.hard ?? {}).filter(([name]) => which(name)).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`).join(', ');

const isLimit = (name: string): boolean => name.startsWith('limits.');

export const ResourceQuota = defineKind(schema, {
  group: '', version: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', scope: 'Namespaced',
  generationCounts: [],
  shortNames: ['quota'],
  columns: [
    nameColumn,
    ageColumn,
    column('Request', 'What is used and allowed of everything but limits.', ({ status }) => usage(status, (name) => !isLimit(name))),
    column('Limit', 'What is used and allowed of limits.', ({ status }) => usage(status, isLimit)),
  ],
  subresources: { status: true },
  initialStatus: () => ({}),
  validate: ({ spec }, old) => validateResourceQuotaSpec(spec ?? {}, old === undefined ? undefined : old.spec ?? {}),
  validateStatus: ({ status }) => [...validateQuotaAmounts(status?.hard, 'status.hard'), ...validateQuotaAmounts(status?.used, 'status.used')],
});
export type ResourceQuota = BodyOf<typeof ResourceQuota>;
