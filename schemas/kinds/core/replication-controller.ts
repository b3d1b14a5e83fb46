import { ageColumn, column, nameColumn, templateColumns } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { as, int32, int64, list, mapOf, object, string, time, type Static } from '../../schema.ts';
import { labelsText } from '../../table-cells.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';
import { validateReplicationControllerSpec } from '../../validation/replication-controller.ts';
import { validateReplicaCounts } from '../../validation/workload.ts';
import { warnWorkload } from '../../warnings/pod.ts';

export const ReplicationControllerSpec = object('core.v1.ReplicationControllerSpec', 'What a ReplicationController is to keep running.', {
  minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.', { minimum: 0 }),
  replicas: int32('How many pods are wanted.', { default: 1, minimum: 0 }),
  selector: mapOf(string('Label value.'), "Labels that the pods must have; the template's where absent.", { 'x-kubernetes-map-type': 'atomic' }),
  template: as(PodTemplateSpec, 'The pods that are made.', { 'x-barge-default-object': true }),
}, ['template']);
export type ReplicationControllerSpec = Static<typeof ReplicationControllerSpec>;

export const ReplicationControllerCondition = object('core.v1.ReplicationControllerCondition', 'One aspect of the state of a ReplicationController.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect: ReplicaFailure.'),
}, ['status', 'type']);
export type ReplicationControllerCondition = Static<typeof ReplicationControllerCondition>;

export const ReplicationControllerStatus = object('core.v1.ReplicationControllerStatus', 'How a ReplicationController is.', {
  availableReplicas: int32('Pods that have been ready for minReadySeconds.', { minimum: 0 }),
  conditions: list(ReplicationControllerCondition, "Aspects of the ReplicationController's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  fullyLabeledReplicas: int32('Pods that have all labels of the template.', { minimum: 0 }),
  observedGeneration: int64('Generation of the ReplicationController that the controller has seen.', { minimum: 0 }),
  readyReplicas: int32('Pods that are ready.', { minimum: 0 }),
  replicas: int32('Pods that are not being deleted.', { minimum: 0 }),
}, ['replicas']);
export type ReplicationControllerStatus = Static<typeof ReplicationControllerStatus>;

const schema = topLevel('core.v1.ReplicationController', 'Keeps a number of equal pods running; ReplicaSets and Deployments do more.', {
  spec: as(ReplicationControllerSpec, 'What is to run.', { 'x-barge-default-object': true }),
  status: as(ReplicationControllerStatus, 'How it is.'),
}, ['spec']);

export const ReplicationController = defineKind(schema, {
  group: '', version: 'v1', kind: 'ReplicationController', plural: 'replicationcontrollers', scope: 'Namespaced',
  shortNames: ['rc'],
  categories: ['all'],
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    nameColumn,
    column('Desired', 'Pods that are wanted.', ({ spec }) => spec.replicas ?? 1, { type: 'integer' }),
    column('Current', 'Pods that there are.', ({ status }) => status?.replicas ?? 0, { type: 'integer' }),
    column('Ready', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0, { type: 'integer' }),
    ageColumn,
    ...templateColumns,
    column('Selector', 'Labels of the pods that belong to the object.', ({ spec }) => labelsText(spec.selector), { shown: 'wide' }),
  ],
  subresources: {
    status: true,
    scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: 'status.replicas', selectorPath: 'spec.selector' },
  },
  initialStatus: () => ({ replicas: 0 }),
  prepare: ({ metadata, spec }) => {
    const labels = spec.template.metadata?.labels;
    if (labels !== undefined) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    preparePodTemplateSpec(spec.template.spec);
  },
  validate: ({ spec }) => validateReplicationControllerSpec(spec),
  validateStatus: ({ status }) => validateReplicaCounts(status),
  warn: warnWorkload,
});
export type ReplicationController = BodyOf<typeof ReplicationController>;
