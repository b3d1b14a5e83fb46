import { boolean, object, string, type Static } from '../schema.ts';
import { ConfigMapKeySelector, FileKeySelector, ObjectFieldSelector, ResourceFieldSelector, SecretKeySelector } from '../types/references.ts';

export const ConfigMapEnvSource = object('core.v1.ConfigMapEnvSource', '', {
  name: string(''),
  optional: boolean(''),
});
export type ConfigMapEnvSource = Static<typeof ConfigMapEnvSource>;

export const SecretEnvSource = object('core.v1.SecretEnvSource', '', {
  name: string(''),
  optional: boolean(''),
});
export type SecretEnvSource = Static<typeof SecretEnvSource>;

export const EnvFromSource = object('core.v1.EnvFromSource', '', {
  configMapRef: ConfigMapEnvSource,
  prefix: string(''),
  secretRef: SecretEnvSource,
});
export type EnvFromSource = Static<typeof EnvFromSource>;

export const EnvVarSource = object('core.v1.EnvVarSource', '', {
  configMapKeyRef: ConfigMapKeySelector,
  fieldRef: ObjectFieldSelector,
  fileKeyRef: FileKeySelector,
  resourceFieldRef: ResourceFieldSelector,
  secretKeyRef: SecretKeySelector,
});
export type EnvVarSource = Static<typeof EnvVarSource>;

export const EnvVar = object('core.v1.EnvVar', '', {
  name: string(''),
  value: string(''),
  valueFrom: EnvVarSource,
}, ['name']);
export type EnvVar = Static<typeof EnvVar>;
