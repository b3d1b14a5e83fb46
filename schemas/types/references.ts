import { boolean, int32, object, quantity, string, type Static } from '../schema.ts';

export const LocalObjectReference = object('core.v1.LocalObjectReference', '', {
  name: string(''),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type LocalObjectReference = Static<typeof LocalObjectReference>;

export const ObjectReference = object('core.v1.ObjectReference', '', {
  apiVersion: string(''),
  fieldPath: string(''),
  kind: string(''),
  name: string(''),
  namespace: string(''),
  resourceVersion: string(''),
  uid: string(''),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type ObjectReference = Static<typeof ObjectReference>;

export const TypedLocalObjectReference = object('core.v1.TypedLocalObjectReference', '', {
  apiGroup: string(''),
  kind: string(''),
  name: string(''),
}, ['kind', 'name'], { 'x-kubernetes-map-type': 'atomic' });
export type TypedLocalObjectReference = Static<typeof TypedLocalObjectReference>;

export const TypedObjectReference = object('core.v1.TypedObjectReference', '', {
  apiGroup: string(''),
  kind: string(''),
  name: string(''),
  namespace: string(''),
}, ['kind', 'name']);
export type TypedObjectReference = Static<typeof TypedObjectReference>;

export const ConfigMapKeySelector = object('core.v1.ConfigMapKeySelector', '', {
  key: string(''),
  name: string(''),
  optional: boolean(''),
}, ['key'], { 'x-kubernetes-map-type': 'atomic' });
export type ConfigMapKeySelector = Static<typeof ConfigMapKeySelector>;

export const SecretKeySelector = object('core.v1.SecretKeySelector', '', {
  key: string(''),
  name: string(''),
  optional: boolean(''),
}, ['key'], { 'x-kubernetes-map-type': 'atomic' });
export type SecretKeySelector = Static<typeof SecretKeySelector>;

export const FileKeySelector = object('core.v1.FileKeySelector', '', {
  key: string(''),
  optional: boolean(''),
  path: string(''),
  volumeName: string(''),
}, ['key', 'path', 'volumeName'], { 'x-kubernetes-map-type': 'atomic' });
export type FileKeySelector = Static<typeof FileKeySelector>;

export const ObjectFieldSelector = object('core.v1.ObjectFieldSelector', '', {
  apiVersion: string(''),
  fieldPath: string(''),
}, ['fieldPath'], { 'x-kubernetes-map-type': 'atomic' });
export type ObjectFieldSelector = Static<typeof ObjectFieldSelector>;

export const ResourceFieldSelector = object('core.v1.ResourceFieldSelector', '', {
  containerName: string(''),
  divisor: quantity(''),
  resource: string(''),
}, ['resource'], { 'x-kubernetes-map-type': 'atomic' });
export type ResourceFieldSelector = Static<typeof ResourceFieldSelector>;

export const KeyToPath = object('core.v1.KeyToPath', '', {
  key: string(''),
  mode: int32(''),
  path: string(''),
}, ['key', 'path']);
export type KeyToPath = Static<typeof KeyToPath>;
