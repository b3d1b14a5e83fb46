import { as, boolean, object, string, type Static } from '../schema.ts';
import { ConfigMapKeySelector, FileKeySelector, ObjectFieldSelector, ResourceFieldSelector, SecretKeySelector } from '../types/references.ts';

export const ConfigMapEnvSource = object('core.v1.ConfigMapEnvSource', 'A ConfigMap whose keys become environment variables.', {
  name: string('Name of the ConfigMap.'),
  optional: boolean('True when the container may start without it.'),
});
export type ConfigMapEnvSource = Static<typeof ConfigMapEnvSource>;

export const SecretEnvSource = object('core.v1.SecretEnvSource', 'A Secret whose keys become environment variables.', {
  name: string('Name of the Secret.'),
  optional: boolean('True when the container may start without it.'),
});
export type SecretEnvSource = Static<typeof SecretEnvSource>;

export const EnvFromSource = object('core.v1.EnvFromSource', 'A source of many environment variables.', {
  configMapRef: as(ConfigMapEnvSource, 'The ConfigMap to take them from.'),
  prefix: string('Text put before each key.'),
  secretRef: as(SecretEnvSource, 'The Secret to take them from.'),
});
export type EnvFromSource = Static<typeof EnvFromSource>;

export const EnvVarSource = object('core.v1.EnvVarSource', 'Where the value of an environment variable comes from; exactly one member.', {
  configMapKeyRef: as(ConfigMapKeySelector, 'A key of a ConfigMap.'),
  fieldRef: as(ObjectFieldSelector, 'A field of the pod itself.'),
  fileKeyRef: as(FileKeySelector, 'A key of a file of variables in a volume.'),
  resourceFieldRef: as(ResourceFieldSelector, 'A request or limit of a container.'),
  secretKeyRef: as(SecretKeySelector, 'A key of a Secret.'),
});
export type EnvVarSource = Static<typeof EnvVarSource>;

export const EnvVar = object('core.v1.EnvVar', 'An environment variable.', {
  name: string('Name of the variable.'),
  value: string('Value; $(VAR) is replaced by variables that come before, and $$ stands for one $.'),
  valueFrom: as(EnvVarSource, 'Where the value comes from, when it is not given here.'),
}, ['name']);
export type EnvVar = Static<typeof EnvVar>;
