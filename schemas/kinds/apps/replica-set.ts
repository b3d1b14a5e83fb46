import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { int32, int64, list, object, string, time, type Static } from '../../schema.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';

export const ReplicaSetSpec = object('apps.v1.ReplicaSetSpec', '', {
  minReadySeconds: int32(''),
  replicas: int32(''),
  selector: LabelSelector,
  template: PodTemplateSpec,
}, ['selector']);
export type ReplicaSetSpec = Static<typeof ReplicaSetSpec>;

export const ReplicaSetCondition = object('apps.v1.ReplicaSetCondition', '', {
  lastTransitionTime: time(''),
  message: string(''),
  reason: string(''),
  status: string(''),
  type: string(''),
}, ['status', 'type']);
export type ReplicaSetCondition = Static<typeof ReplicaSetCondition>;

export const ReplicaSetStatus = object('apps.v1.ReplicaSetStatus', '', {
  availableReplicas: int32(''),
  conditions: list(ReplicaSetCondition, '', { mapKeys: ['type'], mergeKey: 'type' }),
  fullyLabeledReplicas: int32(''),
  observedGeneration: int64(''),
  readyReplicas: int32(''),
  replicas: int32(''),
  terminatingReplicas: int32(''),
}, ['replicas']);
export type ReplicaSetStatus = Static<typeof ReplicaSetStatus>;

const schema = topLevel('apps.v1.ReplicaSet', '', {
  spec: ReplicaSetSpec,
  status: ReplicaSetStatus,
});

export const ReplicaSet = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'ReplicaSet', plural: 'replicasets', scope: 'Namespaced',
  shortNames: ['rs'],
  categories: ['all'],
  subresources: { status: true },
  columns: [],
});
export type ReplicaSet = BodyOf<typeof ReplicaSet>;
