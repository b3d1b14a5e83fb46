import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { accessModesText } from '../../columns/volume-cells.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePersistentVolumeClaimSpec } from '../../prepare/persistent-volume-claim.ts';
import { as, list, mapOf, object, quantity, string, time, type Static } from '../../schema.ts';
import { PersistentVolumeClaimSpec } from '../../types/persistent-volume-claim-spec.ts';
import { validateClaimStatus, validatePersistentVolumeClaim } from '../../validation/persistent-volume-claim.ts';
import { storageClassOf } from '../../volumes/storage-class-of.ts';
import { warnVolumeAnnotations } from '../../warnings/deprecated.ts';
import { warnFractions } from '../../warnings/pod.ts';

export const PersistentVolumeClaimCondition = object('core.v1.PersistentVolumeClaimCondition', 'One aspect of the state of a claim.', {
  lastProbeTime: time('When the condition was last looked at.'),
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect, such as Resizing.'),
}, ['status', 'type']);
export type PersistentVolumeClaimCondition = Static<typeof PersistentVolumeClaimCondition>;

export const ModifyVolumeStatus = object('core.v1.ModifyVolumeStatus', 'How a change of the attributes class stands.', {
  status: string('Pending, InProgress or Infeasible.'),
  targetVolumeAttributesClassName: string('Class to which the volume is being changed.'),
}, ['status']);
export type ModifyVolumeStatus = Static<typeof ModifyVolumeStatus>;

export const PersistentVolumeClaimStatus = object('core.v1.PersistentVolumeClaimStatus', 'How a claim is.', {
  accessModes: list(string('Access mode.'), 'How the bound volume can be mounted.', { listType: 'atomic' }),
  allocatedResourceStatuses: mapOf(string('State.'), 'How the change of each size stands, such as ControllerResizeInProgress.', { 'x-kubernetes-map-type': 'granular' }),
  allocatedResources: mapOf(quantity('Amount.'), 'Sizes that are being worked towards.'),
  capacity: mapOf(quantity('Amount.'), 'Size of the bound volume.'),
  conditions: list(PersistentVolumeClaimCondition, "Aspects of the claim's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  currentVolumeAttributesClassName: string('Class of attributes that the volume has now.'),
  modifyVolumeStatus: as(ModifyVolumeStatus, 'How a change of the attributes class stands.'),
  phase: string('Pending, Bound or Lost.'),
});
export type PersistentVolumeClaimStatus = Static<typeof PersistentVolumeClaimStatus>;

const schema = topLevel('core.v1.PersistentVolumeClaim', 'Asks for storage, which pods then use by the name of the claim.', {
  spec: as(PersistentVolumeClaimSpec, 'What is asked for.', { 'x-barge-default-object': true }),
  status: as(PersistentVolumeClaimStatus, 'How it is.'),
}, ['spec']);

const isBound = ({ volumeName }: PersistentVolumeClaimSpec): boolean => (volumeName ?? '') !== '';

export const PersistentVolumeClaim = defineKind(schema, {
  group: '', version: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', scope: 'Namespaced',
  generationCounts: [],
  shortNames: ['pvc'],
  columns: [
    nameColumn,
    column('Status', 'What the claim is doing.', ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? status?.phase ?? '' : 'Terminating')),
    column('Volume', 'The volume that is bound.', ({ spec }) => spec.volumeName ?? ''),
    column('Capacity', 'Size of the bound volume.', ({ spec, status }) => (isBound(spec) ? status?.capacity?.['storage'] ?? '0' : '')),
    column('Access Modes', 'How the bound volume can be mounted, in short.', ({ spec, status }) => (isBound(spec) ? accessModesText(status?.accessModes) : '')),
    column('StorageClass', 'Class of storage that is asked for.', storageClassOf),
    column('VolumeAttributesClass', 'Class of attributes that is asked for.', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    column('VolumeMode', 'Whether the volume holds files or is a raw device.', ({ spec }) => spec.volumeMode ?? '<unset>', { shown: 'wide' }),
  ],
  subresources: { status: true },
  initialStatus: () => ({ phase: 'Pending' }),
  prepare: ({ spec }) => preparePersistentVolumeClaimSpec(spec),
  validate: validatePersistentVolumeClaim,
  validateStatus: ({ status }) => (status === undefined ? [] : validateClaimStatus(status)),
  warn: ({ metadata, spec }, old) => (spec === old?.spec ? [] : [...warnVolumeAnnotations(metadata.annotations), ...warnFractions(spec.resources?.requests, 'spec.resources.requests')]),
});
export type PersistentVolumeClaim = BodyOf<typeof PersistentVolumeClaim>;
