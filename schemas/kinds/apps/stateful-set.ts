import { ageColumn, column, nameColumn, templateColumns } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { validateDependencies } from '../../rollout-annotations.ts';
import { as, int32, int64, intOrString, list, object, oneOf, string, time, type Static } from '../../schema.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';
import { validateStatefulSetSpec } from '../../validation/stateful-set.ts';
import { validateCollisionCount, validateReplicaCounts } from '../../validation/workload.ts';
import { PersistentVolumeClaim } from '../core/persistent-volume-claim.ts';
import { warnWorkload } from '../../warnings/pod.ts';

export const StatefulSetOrdinals = object('apps.v1.StatefulSetOrdinals', 'How the pods are numbered.', {
  start: int32('Number of the first pod; 0 where absent.', { minimum: 0 }),
});
export type StatefulSetOrdinals = Static<typeof StatefulSetOrdinals>;

export const StatefulSetPersistentVolumeClaimRetentionPolicy = object('apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy', "What becomes of the pods' claims.", {
  whenDeleted: oneOf(['Delete', 'Retain'], 'What becomes of the claims when the StatefulSet is deleted.', { default: 'Retain' }),
  whenScaled: oneOf(['Delete', 'Retain'], 'What becomes of the claims of pods that are beyond the wanted number.', { default: 'Retain' }),
});
export type StatefulSetPersistentVolumeClaimRetentionPolicy = Static<typeof StatefulSetPersistentVolumeClaimRetentionPolicy>;

export const RollingUpdateStatefulSetStrategy = object('apps.v1.RollingUpdateStatefulSetStrategy', 'How pods are replaced one after the other.', {
  maxUnavailable: intOrString('How many pods may be missing meanwhile, as a number or a percentage rounded up; 1 where absent.'),
  partition: int32('Pods with a lower number keep the old template.', { minimum: 0 }),
});
export type RollingUpdateStatefulSetStrategy = Static<typeof RollingUpdateStatefulSetStrategy>;

export const StatefulSetUpdateStrategy = object('apps.v1.StatefulSetUpdateStrategy', 'How old pods are replaced by new ones.', {
  rollingUpdate: as(RollingUpdateStatefulSetStrategy, 'Settings for type RollingUpdate.'),
  type: oneOf(['OnDelete', 'RollingUpdate'], 'OnDelete waits until somebody deletes an old pod, RollingUpdate replaces them from the highest number down.', { default: 'RollingUpdate' }),
});
export type StatefulSetUpdateStrategy = Static<typeof StatefulSetUpdateStrategy>;

export const StatefulSetSpec = object('apps.v1.StatefulSetSpec', 'What a StatefulSet is to keep running.', {
  minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.', { minimum: 0 }),
  ordinals: as(StatefulSetOrdinals, 'How the pods are numbered.'),
  persistentVolumeClaimRetentionPolicy: as(StatefulSetPersistentVolumeClaimRetentionPolicy, "What becomes of the pods' claims.", { 'x-barge-default-object': true }),
  podManagementPolicy: oneOf(['OrderedReady', 'Parallel'], 'Whether pods start and stop one after the other or all at once.', { default: 'OrderedReady' }),
  replicas: int32('How many pods are wanted.', { default: 1, minimum: 0 }),
  revisionHistoryLimit: int32('How many old templates are kept for going back.', { default: 10, minimum: 0 }),
  selector: as(LabelSelector, 'Labels of the pods that belong to the StatefulSet; cannot be changed.'),
  serviceName: string("Headless service that gives the pods their names in the cluster's DNS."),
  template: as(PodTemplateSpec, 'The pods that are made, each with a number behind the name.', { 'x-barge-default-object': true }),
  updateStrategy: as(StatefulSetUpdateStrategy, 'How old pods are replaced by new ones.', { 'x-barge-default-object': true }),
  volumeClaimTemplates: list(PersistentVolumeClaim.schema, 'Claims that each pod gets for itself, and keeps when it is replaced.', { listType: 'atomic' }),
}, ['selector', 'template']);
export type StatefulSetSpec = Static<typeof StatefulSetSpec>;

export const StatefulSetCondition = object('apps.v1.StatefulSetCondition', 'One aspect of the state of a StatefulSet.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect.'),
}, ['status', 'type']);
export type StatefulSetCondition = Static<typeof StatefulSetCondition>;

export const StatefulSetStatus = object('apps.v1.StatefulSetStatus', 'How a StatefulSet is.', {
  availableReplicas: int32('Pods that have been ready for minReadySeconds.', { minimum: 0 }),
  collisionCount: int32('How often the hash of the template met the name of another ControllerRevision.', { minimum: 0 }),
  conditions: list(StatefulSetCondition, "Aspects of the StatefulSet's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  currentReplicas: int32('Pods of the revision in currentRevision.', { minimum: 0 }),
  currentRevision: string('Name of the ControllerRevision from which an update comes.'),
  observedGeneration: int64('Generation of the StatefulSet that the controller has seen.', { minimum: 0 }),
  readyReplicas: int32('Pods that are ready.', { minimum: 0 }),
  replicas: int32('Pods that there are.', { minimum: 0 }),
  updateRevision: string('Name of the ControllerRevision to which an update goes.'),
  updatedReplicas: int32('Pods of the revision in updateRevision.', { minimum: 0 }),
}, ['replicas']);
export type StatefulSetStatus = Static<typeof StatefulSetStatus>;

const schema = topLevel('apps.v1.StatefulSet', 'Keeps pods running that have names, an order and storage of their own.', {
  spec: as(StatefulSetSpec, 'What is to run.', { 'x-barge-default-object': true }),
  status: as(StatefulSetStatus, 'How it is.'),
}, ['spec']);

export const StatefulSet = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'StatefulSet', plural: 'statefulsets', scope: 'Namespaced',
  shortNames: ['sts'],
  categories: ['all'],
  columns: [
    nameColumn,
    column('Ready', 'Pods that are ready, of those wanted.', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
    ageColumn,
    ...templateColumns,
  ],
  subresources: {
    status: true,
    scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: 'status.replicas', selectorPath: 'spec.selector' },
  },
  initialStatus: () => ({ replicas: 0, availableReplicas: 0 }),
  prepare: ({ spec }) => {
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') spec.updateStrategy.rollingUpdate = { partition: 0, ...spec.updateStrategy.rollingUpdate };
    for (const claim of spec.volumeClaimTemplates ?? []) Object.assign(claim, { kind: 'PersistentVolumeClaim', apiVersion: 'v1', status: { phase: 'Pending', ...claim.status } });
    preparePodTemplateSpec(spec.template.spec);
  },
  validate: ({ metadata, spec }, old) => [...validateDependencies('StatefulSet', metadata), ...validateStatefulSetSpec(spec, old?.spec)],
  validateStatus: ({ status }, old) => [...validateReplicaCounts(status), ...validateCollisionCount(status?.collisionCount, old.status?.collisionCount)],
  warn: warnWorkload,
});
export type StatefulSet = BodyOf<typeof StatefulSet>;
