import { ageColumn, column, nameColumn, workloadColumns } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { validateRolloutAnnotations } from '../../rollout-annotations.ts';
import { as, boolean, int32, int64, intOrString, list, object, oneOf, string, time, type Static } from '../../schema.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';
import { validateDeploymentSpec } from '../../validation/deployment.ts';
import { validateCollisionCount, validateReplicaCounts } from '../../validation/workload.ts';
import { warnWorkload } from '../../warnings/pod.ts';

export const RollingUpdateDeployment = object('apps.v1.RollingUpdateDeployment', 'How pods are replaced bit by bit.', {
  maxSurge: intOrString('How many pods there may be beyond the wanted number, as a number or a percentage rounded up.', { default: '25%' }),
  maxUnavailable: intOrString('How many of the wanted pods may be missing, as a number or a percentage rounded down.', { default: '25%' }),
});
export type RollingUpdateDeployment = Static<typeof RollingUpdateDeployment>;

export const DeploymentStrategy = object('apps.v1.DeploymentStrategy', 'How old pods are replaced by new ones.', {
  rollingUpdate: as(RollingUpdateDeployment, 'Settings for type RollingUpdate.'),
  type: oneOf(['Recreate', 'RollingUpdate'], 'Recreate stops the old pods first, RollingUpdate replaces them bit by bit.', { default: 'RollingUpdate' }),
});
export type DeploymentStrategy = Static<typeof DeploymentStrategy>;

export const DeploymentSpec = object('apps.v1.DeploymentSpec', 'What a Deployment is to keep running.', {
  minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.', { minimum: 0 }),
  paused: boolean('True to hold back changes of the template.'),
  progressDeadlineSeconds: int32('Seconds without progress after which a rollout counts as failed.', { default: 600, minimum: 0 }),
  replicas: int32('How many pods are wanted.', { default: 1, minimum: 0 }),
  revisionHistoryLimit: int32('How many old ReplicaSets are kept for going back.', { default: 10, minimum: 0 }),
  selector: as(LabelSelector, 'Labels of the pods that belong to the Deployment; cannot be changed.'),
  strategy: as(DeploymentStrategy, 'How old pods are replaced by new ones.', { 'x-kubernetes-patch-strategy': 'retainKeys', 'x-barge-default-object': true }),
  template: as(PodTemplateSpec, 'The pods that are wanted.', { 'x-barge-default-object': true }),
}, ['selector', 'template']);
export type DeploymentSpec = Static<typeof DeploymentSpec>;

export const DeploymentCondition = object('apps.v1.DeploymentCondition', 'One aspect of the state of a Deployment.', {
  lastTransitionTime: time('When the status last changed.'),
  lastUpdateTime: time('When the condition was last worked out.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect: Available, Progressing or ReplicaFailure.'),
}, ['status', 'type']);
export type DeploymentCondition = Static<typeof DeploymentCondition>;

export const DeploymentStatus = object('apps.v1.DeploymentStatus', 'How a Deployment is.', {
  availableReplicas: int32('Pods that have been ready for minReadySeconds.', { minimum: 0 }),
  collisionCount: int32('How often the hash of the template met the name of another ReplicaSet.', { minimum: 0 }),
  conditions: list(DeploymentCondition, "Aspects of the Deployment's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  observedGeneration: int64('Generation of the Deployment that the controller has seen.', { minimum: 0 }),
  readyReplicas: int32('Pods that are ready.', { minimum: 0 }),
  replicas: int32('Pods that are not being deleted.', { minimum: 0 }),
  terminatingReplicas: int32('Pods that are being deleted and not gone.', { minimum: 0 }),
  unavailableReplicas: int32('Pods that are still missing for the Deployment to be whole.', { minimum: 0 }),
  updatedReplicas: int32('Pods of the present template.', { minimum: 0 }),
});
export type DeploymentStatus = Static<typeof DeploymentStatus>;

const schema = topLevel('apps.v1.Deployment', 'Keeps a number of equal pods running and replaces them when their template changes.', {
  spec: as(DeploymentSpec, 'What is to run.', { 'x-barge-default-object': true }),
  status: as(DeploymentStatus, 'How it is.'),
}, ['spec']);

export const Deployment = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', scope: 'Namespaced',
  statusKeeps: ['labels'],
  // A controller copies the annotations.
  generationCounts: ['spec', 'metadata.annotations'],
  shortNames: ['deploy'],
  categories: ['all'],
  columns: [
    nameColumn,
    column('Ready', 'Pods that are ready, of those wanted.', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
    column('Up-to-date', 'Pods of the present template.', ({ status }) => status?.updatedReplicas ?? 0, { type: 'integer' }),
    column('Available', 'Pods that have been ready for long enough.', ({ status }) => status?.availableReplicas ?? 0, { type: 'integer' }),
    ageColumn,
    ...workloadColumns,
  ],
  subresources: {
    status: true,
    scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: 'status.replicas', selectorPath: 'spec.selector' },
  },
  initialStatus: () => ({}),
  prepare: ({ spec }) => {
    spec.strategy ??= {};
    spec.strategy.type ??= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') spec.strategy.rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%', ...spec.strategy.rollingUpdate };
    preparePodTemplateSpec(spec.template.spec);
  },
  validate: ({ metadata, spec }, old) => [...validateRolloutAnnotations(metadata), ...validateDeploymentSpec(spec, old?.spec)],
  validateStatus: ({ status }, old) => [...validateReplicaCounts(status), ...validateCollisionCount(status?.collisionCount, old.status?.collisionCount)],
  warn: warnWorkload,
});
export type Deployment = BodyOf<typeof Deployment>;
