/** Bodies that go over the wire and are never stored: what clients send to subresources, and with a delete. */
import type { BodyKind } from '../decode.ts';
import { topLevel } from '../kind.ts';
import { as, boolean, int32, int64, list, object, string, type Schema, type Static } from '../schema.ts';
import { ObjectReference } from './references.ts';

const bodyKind = <T>(group: string, version: string, kind: string, schema: Schema<T>): BodyKind<T> => Object.freeze({ group, version, kind, schema });

export const Preconditions = object('meta.v1.Preconditions', 'What must hold of an object for it to be deleted.', {
  resourceVersion: string('Version that the object must have.'),
  uid: string('UID that the object must have.'),
});
export type Preconditions = Static<typeof Preconditions>;

const deleteOptions = object('meta.v1.DeleteOptions', 'How an object is to be deleted.', {
  apiVersion: string('Version of the schema of this object.'),
  dryRun: list(string('All, the only word that is known.'), 'All to do everything but the deletion itself.', { listType: 'atomic' }),
  gracePeriodSeconds: int64('Seconds until the object is removed; 0 removes it at once, less than 0 means 1, absent what the kind says.'),
  ignoreStoreReadErrorWithClusterBreakingPotential: boolean('True to remove an object that cannot be read any more.'),
  kind: string('Name of the kind.'),
  orphanDependents: boolean('Old form of propagationPolicy: true stands for Orphan.'),
  preconditions: as(Preconditions, 'What must hold of the object.'),
  propagationPolicy: string('What becomes of the objects that this one owns: Orphan, Background or Foreground.', { enum: ['Orphan', 'Background', 'Foreground'] }),
});
export const DeleteOptions = bodyKind('', 'v1', 'DeleteOptions', deleteOptions);
export type DeleteOptions = Static<typeof deleteOptions>;

const binding = topLevel('core.v1.Binding', 'Gives a pod to a node.', {
  target: as(ObjectReference, 'The node.'),
}, ['target']);
export const Binding = bodyKind('', 'v1', 'Binding', binding);
export type Binding = Static<typeof binding>;

const eviction = topLevel('policy.v1.Eviction', 'Asks for a pod to go, unless a disruption budget is against it.', {
  deleteOptions: as(deleteOptions, 'How the pod is to be deleted.'),
});
export const Eviction = bodyKind('policy', 'v1', 'Eviction', eviction);
/** The same fields in their first version: kubectl sends it before 1.22, and servers take it for as long as evictions are v1. */
export const EvictionV1beta1 = bodyKind('policy', 'v1beta1', 'Eviction', eviction);
export type Eviction = Static<typeof eviction>;

export const ScaleSpec = object('autoscaling.v1.ScaleSpec', 'How many are wanted.', {
  replicas: int32('Number that is wanted.', { minimum: 0 }),
});
export type ScaleSpec = Static<typeof ScaleSpec>;

export const ScaleStatus = object('autoscaling.v1.ScaleStatus', 'How many there are.', {
  replicas: int32('Number that there is.'),
  selector: string('Labels of the pods that are counted, as text.'),
}, ['replicas']);
export type ScaleStatus = Static<typeof ScaleStatus>;

const scale = topLevel('autoscaling.v1.Scale', 'The number of replicas of an object of any kind that has one.', {
  spec: as(ScaleSpec, 'How many are wanted.', { 'x-barge-default-object': true }),
  status: as(ScaleStatus, 'How many there are.'),
}, ['spec']);
export const Scale = bodyKind('autoscaling', 'v1', 'Scale', scale);
export type Scale = Static<typeof scale>;
