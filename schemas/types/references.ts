import { boolean, int32, object, quantity, string, type Static } from '../schema.ts';

export const LocalObjectReference = object('core.v1.LocalObjectReference', 'Names an object in the same namespace.', {
  name: string('Name of the object.'),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type LocalObjectReference = Static<typeof LocalObjectReference>;

export const ObjectReference = object('core.v1.ObjectReference', 'Names an object, or a part of one.', {
  apiVersion: string('API version of the object.'),
  fieldPath: string('Part of the object that is meant, such as spec.containers{web}.'),
  kind: string('Kind of the object.'),
  name: string('Name of the object.'),
  namespace: string('Namespace of the object.'),
  resourceVersion: string('Version of the object that is meant.'),
  uid: string('UID of the object.'),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type ObjectReference = Static<typeof ObjectReference>;

export const TypedLocalObjectReference = object('core.v1.TypedLocalObjectReference', 'Names an object of any kind in the same namespace.', {
  apiGroup: string('API group of the object; absent for the core group.'),
  kind: string('Kind of the object.'),
  name: string('Name of the object.'),
}, ['kind', 'name'], { 'x-kubernetes-map-type': 'atomic' });
export type TypedLocalObjectReference = Static<typeof TypedLocalObjectReference>;

export const TypedObjectReference = object('core.v1.TypedObjectReference', 'Names an object of any kind.', {
  apiGroup: string('API group of the object; absent for the core group.'),
  kind: string('Kind of the object.'),
  name: string('Name of the object.'),
  namespace: string('Namespace of the object; the same one where absent.'),
}, ['kind', 'name']);
export type TypedObjectReference = Static<typeof TypedObjectReference>;

export const ConfigMapKeySelector = object('core.v1.ConfigMapKeySelector', 'Names a key of a ConfigMap.', {
  key: string('The key.'),
  name: string('Name of the ConfigMap.'),
  optional: boolean('True when the ConfigMap or the key may be missing.'),
}, ['key'], { 'x-kubernetes-map-type': 'atomic' });
export type ConfigMapKeySelector = Static<typeof ConfigMapKeySelector>;

export const SecretKeySelector = object('core.v1.SecretKeySelector', 'Names a key of a Secret.', {
  key: string('The key.'),
  name: string('Name of the Secret.'),
  optional: boolean('True when the Secret or the key may be missing.'),
}, ['key'], { 'x-kubernetes-map-type': 'atomic' });
export type SecretKeySelector = Static<typeof SecretKeySelector>;

export const FileKeySelector = object('core.v1.FileKeySelector', 'Names a variable in a file of a volume.', {
  key: string('Name of the variable in the file.'),
  optional: boolean('True when the file or the variable may be missing.'),
  path: string('Path of the file in the volume.'),
  volumeName: string('Name of the volume.'),
}, ['key', 'path', 'volumeName'], { 'x-kubernetes-map-type': 'atomic' });
export type FileKeySelector = Static<typeof FileKeySelector>;

export const ObjectFieldSelector = object('core.v1.ObjectFieldSelector', 'Names a field of the pod.', {
  apiVersion: string('Version of the schema in which the path is written.', { default: 'v1' }),
  fieldPath: string("Path of the field, such as metadata.name or metadata.labels['app']."),
}, ['fieldPath'], { 'x-kubernetes-map-type': 'atomic' });
export type ObjectFieldSelector = Static<typeof ObjectFieldSelector>;

export const ResourceFieldSelector = object('core.v1.ResourceFieldSelector', 'Names a request or limit of a container.', {
  containerName: string('Name of the container; needed for volumes, the container itself for variables.'),
  divisor: quantity('Unit in which the value is written; 0 stands for 1.', { default: '0' }),
  resource: string('The resource, such as limits.cpu or requests.memory.'),
}, ['resource'], { 'x-kubernetes-map-type': 'atomic' });
export type ResourceFieldSelector = Static<typeof ResourceFieldSelector>;

export const KeyToPath = object('core.v1.KeyToPath', 'Puts one key of a source into a file.', {
  key: string('The key.'),
  mode: int32('Permissions of the file, 0 to 511 (octal 0777).', { minimum: 0, maximum: 511 }),
  path: string("Relative path of the file; may not contain '..'."),
}, ['key', 'path']);
export type KeyToPath = Static<typeof KeyToPath>;
