import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, boolean, int32, int64, intOrString, list, object, string, time, type Static } from '../../schema.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';

export const RollingUpdateDeployment = object('apps.v1.RollingUpdateDeployment', '', {
  maxSurge: intOrString(''),
  maxUnavailable: intOrString(''),
});
export type RollingUpdateDeployment = Static<typeof RollingUpdateDeployment>;

export const DeploymentStrategy = object('apps.v1.DeploymentStrategy', '', {
  rollingUpdate: RollingUpdateDeployment,
  type: string(''),
});
export type DeploymentStrategy = Static<typeof DeploymentStrategy>;

export const DeploymentSpec = object('apps.v1.DeploymentSpec', '', {
  minReadySeconds: int32(''),
  paused: boolean(''),
  progressDeadlineSeconds: int32(''),
  replicas: int32(''),
  revisionHistoryLimit: int32(''),
  selector: LabelSelector,
  strategy: as(DeploymentStrategy, '', { 'x-kubernetes-patch-strategy': 'retainKeys' }),
  template: PodTemplateSpec,
}, ['selector', 'template']);
export type DeploymentSpec = Static<typeof DeploymentSpec>;

export const DeploymentCondition = object('apps.v1.DeploymentCondition', '', {
  lastTransitionTime: time(''),
  lastUpdateTime: time(''),
  message: string(''),
  reason: string(''),
  status: string(''),
  type: string(''),
}, ['status', 'type']);
export type DeploymentCondition = Static<typeof DeploymentCondition>;

export const DeploymentStatus = object('apps.v1.DeploymentStatus', '', {
  availableReplicas: int32(''),
  collisionCount: int32(''),
  conditions: list(DeploymentCondition, '', { mapKeys: ['type'], mergeKey: 'type' }),
  observedGeneration: int64(''),
  readyReplicas: int32(''),
  replicas: int32(''),
  terminatingReplicas: int32(''),
  unavailableReplicas: int32(''),
  updatedReplicas: int32(''),
});
export type DeploymentStatus = Static<typeof DeploymentStatus>;

const schema = topLevel('apps.v1.Deployment', '', {
  spec: DeploymentSpec,
  status: DeploymentStatus,
});

export const Deployment = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', scope: 'Namespaced',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: { status: true },
  columns: [],
});
export type Deployment = BodyOf<typeof Deployment>;
