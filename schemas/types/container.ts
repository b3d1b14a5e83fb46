import { boolean, int32, list, object, string, type Static } from '../schema.ts';
import { EnvFromSource, EnvVar } from '../types/env.ts';
import { Lifecycle, Probe } from '../types/probe.ts';
import { ResourceRequirements } from '../types/resources.ts';
import { SecurityContext } from '../types/security-context.ts';

export const ContainerPort = object('core.v1.ContainerPort', '', {
  containerPort: int32(''),
  hostIP: string(''),
  hostPort: int32(''),
  name: string(''),
  protocol: string(''),
}, ['containerPort']);
export type ContainerPort = Static<typeof ContainerPort>;

export const ContainerResizePolicy = object('core.v1.ContainerResizePolicy', '', {
  resourceName: string(''),
  restartPolicy: string(''),
}, ['resourceName', 'restartPolicy']);
export type ContainerResizePolicy = Static<typeof ContainerResizePolicy>;

export const ContainerRestartRuleOnExitCodes = object('core.v1.ContainerRestartRuleOnExitCodes', '', {
  operator: string(''),
  values: list(int32(''), '', { listType: 'set' }),
}, ['operator']);
export type ContainerRestartRuleOnExitCodes = Static<typeof ContainerRestartRuleOnExitCodes>;

export const ContainerRestartRule = object('core.v1.ContainerRestartRule', '', {
  action: string(''),
  exitCodes: ContainerRestartRuleOnExitCodes,
}, ['action']);
export type ContainerRestartRule = Static<typeof ContainerRestartRule>;

export const VolumeDevice = object('core.v1.VolumeDevice', '', {
  devicePath: string(''),
  name: string(''),
}, ['devicePath', 'name']);
export type VolumeDevice = Static<typeof VolumeDevice>;

export const VolumeMount = object('core.v1.VolumeMount', '', {
  mountPath: string(''),
  mountPropagation: string(''),
  name: string(''),
  readOnly: boolean(''),
  recursiveReadOnly: string(''),
  subPath: string(''),
  subPathExpr: string(''),
}, ['mountPath', 'name']);
export type VolumeMount = Static<typeof VolumeMount>;

export const Container = object('core.v1.Container', '', {
  args: list(string(''), '', { listType: 'atomic' }),
  command: list(string(''), '', { listType: 'atomic' }),
  env: list(EnvVar, '', { mapKeys: ['name'], mergeKey: 'name' }),
  envFrom: list(EnvFromSource, '', { listType: 'atomic' }),
  image: string(''),
  imagePullPolicy: string(''),
  lifecycle: Lifecycle,
  livenessProbe: Probe,
  name: string(''),
  ports: list(ContainerPort, '', { mapKeys: ['containerPort', 'protocol'], mergeKey: 'containerPort' }),
  readinessProbe: Probe,
  resizePolicy: list(ContainerResizePolicy, '', { listType: 'atomic' }),
  resources: ResourceRequirements,
  restartPolicy: string(''),
  restartPolicyRules: list(ContainerRestartRule, '', { listType: 'atomic' }),
  securityContext: SecurityContext,
  startupProbe: Probe,
  stdin: boolean(''),
  stdinOnce: boolean(''),
  terminationMessagePath: string(''),
  terminationMessagePolicy: string(''),
  tty: boolean(''),
  volumeDevices: list(VolumeDevice, '', { mapKeys: ['devicePath'], mergeKey: 'devicePath' }),
  volumeMounts: list(VolumeMount, '', { mapKeys: ['mountPath'], mergeKey: 'mountPath' }),
  workingDir: string(''),
}, ['name']);
export type Container = Static<typeof Container>;

export const EphemeralContainer = object('core.v1.EphemeralContainer', '', {
  args: list(string(''), '', { listType: 'atomic' }),
  command: list(string(''), '', { listType: 'atomic' }),
  env: list(EnvVar, '', { mapKeys: ['name'], mergeKey: 'name' }),
  envFrom: list(EnvFromSource, '', { listType: 'atomic' }),
  image: string(''),
  imagePullPolicy: string(''),
  lifecycle: Lifecycle,
  livenessProbe: Probe,
  name: string(''),
  ports: list(ContainerPort, '', { mapKeys: ['containerPort', 'protocol'], mergeKey: 'containerPort' }),
  readinessProbe: Probe,
  resizePolicy: list(ContainerResizePolicy, '', { listType: 'atomic' }),
  resources: ResourceRequirements,
  restartPolicy: string(''),
  restartPolicyRules: list(ContainerRestartRule, '', { listType: 'atomic' }),
  securityContext: SecurityContext,
  startupProbe: Probe,
  stdin: boolean(''),
  stdinOnce: boolean(''),
  targetContainerName: string(''),
  terminationMessagePath: string(''),
  terminationMessagePolicy: string(''),
  tty: boolean(''),
  volumeDevices: list(VolumeDevice, '', { mapKeys: ['devicePath'], mergeKey: 'devicePath' }),
  volumeMounts: list(VolumeMount, '', { mapKeys: ['mountPath'], mergeKey: 'mountPath' }),
  workingDir: string(''),
}, ['name']);
export type EphemeralContainer = Static<typeof EphemeralContainer>;
