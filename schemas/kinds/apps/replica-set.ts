import { ageColumn, column, nameColumn, workloadColumns } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { as, int32, int64, list, object, string, time, type Static } from '../../schema.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';
import { validateReplicaCounts, validateWorkload } from '../../validation/workload.ts';
import { warnWorkload } from '../../warnings/pod.ts';

export const ReplicaSetSpec = object('apps.v1.ReplicaSetSpec', 'What a ReplicaSet is to keep running.', {
  minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.', { minimum: 0 }),
  replicas: int32('How many pods are wanted.', { default: 1, minimum: 0 }),
  selector: as(LabelSelector, 'Labels of the pods that belong to the ReplicaSet; cannot be changed.'),
  template: as(PodTemplateSpec, 'The pods that are made.', { 'x-barge-default-object': true }),
}, ['selector', 'template']);
export type ReplicaSetSpec = Static<typeof ReplicaSetSpec>;

export const ReplicaSetCondition = object('apps.v1.ReplicaSetCondition', 'One aspect of the state of a ReplicaSet.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect: ReplicaFailure.'),
}, ['status', 'type']);
export type ReplicaSetCondition = Static<typeof ReplicaSetCondition>;

export const ReplicaSetStatus = object('apps.v1.ReplicaSetStatus', 'How a ReplicaSet is.', {
  availableReplicas: int32('Pods that have been ready for minReadySeconds.', { minimum: 0 }),
  conditions: list(ReplicaSetCondition, "Aspects of the ReplicaSet's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  fullyLabeledReplicas: int32('Pods that have all labels of the template.', { minimum: 0 }),
  observedGeneration: int64('Generation of the ReplicaSet that the controller has seen.', { minimum: 0 }),
  readyReplicas: int32('Pods that are ready.', { minimum: 0 }),
  replicas: int32('Pods that are not being deleted.', { minimum: 0 }),
  terminatingReplicas: int32('Pods that are being deleted and not gone.', { minimum: 0 }),
}, ['replicas']);
export type ReplicaSetStatus = Static<typeof ReplicaSetStatus>;

const schema = topLevel('apps.v1.ReplicaSet', 'Keeps a number of equal pods running.', {
  spec: as(ReplicaSetSpec, 'What is to run.', { 'x-barge-default-object': true }),
  status: as(ReplicaSetStatus, 'How it is.'),
}, ['spec']);

export const ReplicaSet = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'ReplicaSet', plural: 'replicasets', scope: 'Namespaced',
  shortNames: ['rs'],
  categories: ['all'],
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    nameColumn,
    column('Desired', 'Pods that are wanted.', ({ spec }) => spec.replicas ?? 1, { type: 'integer' }),
    column('Current', 'Pods that there are.', ({ status }) => status?.replicas ?? 0, { type: 'integer' }),
    column('Ready', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0, { type: 'integer' }),
    ageColumn,
    ...workloadColumns,
  ],
  subresources: {
    status: true,
    scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: 'status.replicas', selectorPath: 'spec.selector' },
  },
  initialStatus: () => ({ replicas: 0 }),
  prepare: ({ spec }) => preparePodTemplateSpec(spec.template.spec),
  validate: ({ spec }, old) => validateWorkload(spec, old?.spec, 'ReplicaSet'),
  validateStatus: ({ status }) => validateReplicaCounts(status),
  warn: warnWorkload,
});
export type ReplicaSet = BodyOf<typeof ReplicaSet>;
