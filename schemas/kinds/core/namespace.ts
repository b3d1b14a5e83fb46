import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { list, object, string, time, type Static } from '../../schema.ts';

export const NamespaceSpec = object('core.v1.NamespaceSpec', '', {
  finalizers: list(string(''), '', { listType: 'atomic' }),
});
export type NamespaceSpec = Static<typeof NamespaceSpec>;

export const NamespaceCondition = object('core.v1.NamespaceCondition', '', {
  lastTransitionTime: time(''),
  message: string(''),
  reason: string(''),
  status: string(''),
  type: string(''),
}, ['status', 'type']);
export type NamespaceCondition = Static<typeof NamespaceCondition>;

export const NamespaceStatus = object('core.v1.NamespaceStatus', '', {
  conditions: list(NamespaceCondition, '', { mapKeys: ['type'], mergeKey: 'type' }),
  phase: string(''),
});
export type NamespaceStatus = Static<typeof NamespaceStatus>;

const schema = topLevel('core.v1.Namespace', '', {
  spec: NamespaceSpec,
  status: NamespaceStatus,
});

export const Namespace = defineKind(schema, {
  group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', scope: 'Cluster',
  shortNames: ['ns'],
  subresources: { status: true },
  columns: [],
});
export type Namespace = BodyOf<typeof Namespace>;
