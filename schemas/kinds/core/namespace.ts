import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotDnsLabel } from '../../names.ts';
import { as, list, object, string, time, type Static } from '../../schema.ts';
import { validateFinalizer } from '../../validation/object-meta.ts';

export const NamespaceSpec = object('core.v1.NamespaceSpec', 'What a namespace still needs before it can go.', {
  finalizers: list(string('Name.'), 'Names that must be removed before the namespace is gone.', { listType: 'atomic' }),
});
export type NamespaceSpec = Static<typeof NamespaceSpec>;

export const NamespaceCondition = object('core.v1.NamespaceCondition', 'One aspect of the state of a namespace.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect.'),
}, ['status', 'type']);
export type NamespaceCondition = Static<typeof NamespaceCondition>;

export const NamespaceStatus = object('core.v1.NamespaceStatus', 'How a namespace is.', {
  conditions: list(NamespaceCondition, "Aspects of the namespace's state, mostly of its deletion.", { mapKeys: ['type'], mergeKey: 'type' }),
  phase: string('Active, or Terminating while it is being deleted.'),
});
export type NamespaceStatus = Static<typeof NamespaceStatus>;

const schema = topLevel('core.v1.Namespace', 'A scope for names.', {
  spec: as(NamespaceSpec, 'What the namespace still needs before it can go.'),
  status: as(NamespaceStatus, 'How it is.'),
});

export const Namespace = defineKind(schema, {
  group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', scope: 'Cluster',
  generationCounts: [],
  // A namespace takes everything in it along: nobody deletes them by the dozen.
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['ns'],
  fields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  columns: [nameColumn, column('Status', 'Active, or Terminating while it is being deleted.', ({ status }) => status?.phase ?? ''), ageColumn],
  subresources: { status: true, special: { finalize: { kind: 'Namespace', verbs: ['update'] } } },
  nameRule: whyNotDnsLabel,
  initialStatus: () => ({ phase: 'Active' }),
  validate: ({ spec }) => (spec?.finalizers ?? []).flatMap((name, index) => validateFinalizer(name, `spec.finalizers[${index}]`)),
});
export type Namespace = BodyOf<typeof Namespace>;
