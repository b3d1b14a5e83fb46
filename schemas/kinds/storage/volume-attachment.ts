import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, boolean, int32, mapOf, object, string, time, type Static } from '../../schema.ts';
import { validateVolumeAttachment, validateVolumeAttachmentStatus } from '../../validation/volume-attachment.ts';
import { PersistentVolumeSpec } from '../core/persistent-volume.ts';

export const VolumeAttachmentSource = object('storage.v1.VolumeAttachmentSource', 'The volume that is attached; exactly one of the two.', {
  inlineVolumeSpec: as(PersistentVolumeSpec, 'The volume itself, for volumes that a pod names inline.'),
  persistentVolumeName: string('Name of a PersistentVolume.'),
});
export type VolumeAttachmentSource = Static<typeof VolumeAttachmentSource>;

export const VolumeAttachmentSpec = object('storage.v1.VolumeAttachmentSpec', 'Which volume is to be attached to which node. It cannot be changed.', {
  attacher: string('Name of the CSI driver that attaches it.'),
  nodeName: string('Node to which it is attached.'),
  source: as(VolumeAttachmentSource, 'The volume.'),
}, ['attacher', 'nodeName', 'source']);
export type VolumeAttachmentSpec = Static<typeof VolumeAttachmentSpec>;

export const VolumeError = object('storage.v1.VolumeError', 'What went wrong with a volume.', {
  errorCode: int32('Code of the error, as gRPC counts them.'),
  message: string('Explanation for people; must hold no secrets.'),
  time: time('When it went wrong.'),
});
export type VolumeError = Static<typeof VolumeError>;

export const VolumeAttachmentStatus = object('storage.v1.VolumeAttachmentStatus', 'Whether the volume is attached.', {
  attachError: as(VolumeError, 'What went wrong when it was last attached.'),
  attached: boolean('True once it is attached.'),
  attachmentMetadata: mapOf(string('Value.'), 'What the driver wants to be told when the volume is mounted.'),
  detachError: as(VolumeError, 'What went wrong when it was last detached.'),
}, ['attached']);
export type VolumeAttachmentStatus = Static<typeof VolumeAttachmentStatus>;

const schema = topLevel('storage.v1.VolumeAttachment', 'The wish to have a volume attached to a node, and what has become of it.', {
  spec: as(VolumeAttachmentSpec, 'Which volume, and which node.'),
  status: as(VolumeAttachmentStatus, 'Whether it is attached.'),
}, ['spec']);

export const VolumeAttachment = defineKind(schema, {
  group: 'storage.k8s.io', version: 'v1', kind: 'VolumeAttachment', plural: 'volumeattachments', scope: 'Cluster',
  generationCounts: [],
  updateNamesVersion: true,
  statusKeeps: 'metadata',
  subresources: { status: true },
  columns: [
    nameColumn,
    column('Attacher', 'CSI driver that attaches the volume.', ({ spec }) => spec.attacher),
    column('PV', 'PersistentVolume that is attached.', ({ spec }) => spec.source.persistentVolumeName ?? ''),
    column('Node', 'Node to which it is attached.', ({ spec }) => spec.nodeName),
    column('Attached', 'Whether it is attached.', ({ status }) => status?.attached ?? false, { type: 'boolean' }),
    ageColumn,
  ],
  initialStatus: () => ({ attached: false }),
  validate: ({ spec }, old) => validateVolumeAttachment(spec, old?.spec),
  validateStatus: ({ status }) => validateVolumeAttachmentStatus(status),
});
export type VolumeAttachment = BodyOf<typeof VolumeAttachment>;
