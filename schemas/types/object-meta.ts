import { anything, int64, list, mapOf, object, oneOf, string, time, boolean, type Static } from '../schema.ts';

export const OwnerReference = object('meta.v1.OwnerReference', 'Names an object that owns this one; when all owners are gone, the garbage collector deletes this object.', {
  apiVersion: string('API version of the owner.'),
  kind: string('Kind of the owner.'),
  name: string('Name of the owner.'),
  uid: string('UID of the owner.'),
  controller: boolean('True for the one owner that manages this object.'),
  blockOwnerDeletion: boolean('True when a foreground deletion of the owner waits until this object is gone.'),
}, ['apiVersion', 'kind', 'name', 'uid'], { 'x-kubernetes-map-type': 'atomic' });
export type OwnerReference = Static<typeof OwnerReference>;

export const ManagedFieldsEntry = object('meta.v1.ManagedFieldsEntry', 'The fields that one manager has set, for server-side apply.', {
  manager: string('Name of the program or person that set the fields.'),
  operation: oneOf(['Apply', 'Update'], 'Whether the fields were set by apply or by any other write.'),
  apiVersion: string('API version in which the field paths are written.'),
  time: time('When this entry last changed.'),
  fieldsType: string('Format of the field set; always FieldsV1.'),
  fieldsV1: anything('The field set, as a tree of f:, k: and v: members.'),
  subresource: string('Subresource through which the fields were set, such as status.'),
});
export type ManagedFieldsEntry = Static<typeof ManagedFieldsEntry>;

export const ObjectMeta = object('meta.v1.ObjectMeta', 'What every stored object carries: its name, identity, labels and life.', {
  name: string('Name, unique within the kind and namespace. Cannot be changed.'),
  generateName: string('Prefix from which the server makes a unique name when no name is given.'),
  namespace: string('Namespace of the object; absent for kinds of the whole cluster. Cannot be changed.'),
  selfLink: string('Not used any more; kept for old clients.'),
  uid: string('Identity of this object in time and space, set by the server.'),
  resourceVersion: string('Version of the stored object, for optimistic concurrency and watches. Opaque to clients.'),
  generation: int64('Counts the changes of the wanted state, set by the server.'),
  creationTimestamp: time('When the server created the object.'),
  deletionTimestamp: time('When the object is or was asked to be gone; set by a graceful delete.'),
  deletionGracePeriodSeconds: int64('Seconds between the delete request and the removal.'),
  labels: mapOf(string('Value of the label.'), 'Key-value pairs by which selectors find the object.'),
  annotations: mapOf(string('Value of the annotation.'), 'Key-value pairs for tools; not selectable.'),
  ownerReferences: list(OwnerReference, 'Objects on which this one depends.', { mapKeys: ['uid'], mergeKey: 'uid', duplicates: 'allowed' }),
  finalizers: list(string('Name of the finalizer.'), 'Names that must be removed before the object is really deleted.', { listType: 'set', patch: 'merge' }),
  managedFields: list(ManagedFieldsEntry, 'Who set which fields.', { listType: 'atomic' }),
});
export type ObjectMeta = Static<typeof ObjectMeta>;
