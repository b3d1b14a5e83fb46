/** Rules for the attaching of volumes. */
import { forbidden, refused, required, tooLong, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { PersistentVolumeSpec } from '../kinds/core/persistent-volume.ts';
import type { VolumeAttachmentSpec, VolumeAttachmentStatus } from '../kinds/storage/volume-attachment.ts';
import { whyNotCsiDriverName, whyNotDnsSubdomain } from '../names.ts';
import { validatePersistentVolume } from './persistent-volume.ts';

/** Bytes of the metadata of an attachment, and of the message of an error; Kubernetes' limits. */
const maxMetadataBytes = 256 * 1024;
const maxMessageBytes = 1024;

/** What a volume that a pod names inline cannot have: it belongs to no claim and to no class. */
const notInline = ['capacity', 'claimRef', 'nodeAffinity', 'storageClassName'] as const;

const validateInline = (spec: PersistentVolumeSpec, field: string): readonly FieldError[] => [
  ...notInline.filter((name) => spec[name] !== undefined && spec[name] !== '').map((name) => forbidden(`${field}.${name}`, 'may not be specified in the context of inline volumes')),
  ...(spec.csi === undefined ? [required(`${field}.csi`, 'must be specified in the context of inline volumes')] : []),
  ...validatePersistentVolume({ spec }, undefined).filter((error) => !notInline.some((name) => error.field.startsWith(`spec.${name}`)))
    .map((error) => ({ ...error, field: `${field}${error.field.slice('spec'.length)}` })),
];

const validateSource = ({ inlineVolumeSpec, persistentVolumeName }: VolumeAttachmentSpec['source'], field: string): readonly FieldError[] => {
  if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) return [forbidden(field, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')];
  if (inlineVolumeSpec !== undefined) return validateInline(inlineVolumeSpec, `${field}.inlineVolumeSpec`);
  if (persistentVolumeName === undefined) return [required(field, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')];
  return persistentVolumeName === '' ? [required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName')]
    : refused(`${field}.persistentVolumeName`, persistentVolumeName, whyNotDnsSubdomain(persistentVolumeName));
};

/** Every wrong field of an attachment; it is about one volume and one node for ever. */
export const validateVolumeAttachment = (spec: VolumeAttachmentSpec, old: VolumeAttachmentSpec | undefined): readonly FieldError[] => [
  ...(spec.attacher === '' ? [required('spec.attacher')] : refused('spec.attacher', spec.attacher, whyNotCsiDriverName(spec.attacher))),
  ...validateSource(spec.source, 'spec.source'),
  ...refused('spec.nodeName', spec.nodeName, whyNotDnsSubdomain(spec.nodeName)),
  ...(old === undefined || deepEqual(spec, old) ? [] : [wrong('spec', spec, 'field is immutable')]),
];

export const validateVolumeAttachmentStatus = (status: VolumeAttachmentStatus | undefined): readonly FieldError[] => {
  const metadata = Object.entries(status?.attachmentMetadata ?? {});
  const bytes = metadata.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...metadata.filter(([key]) => key === '').map(([key]) => wrong('status.attachmentMetadata', key, 'field can not be empty')),
    ...(bytes > maxMetadataBytes ? [tooLong('status.attachmentMetadata', maxMetadataBytes)] : []),
    ...(['attachError', 'detachError'] as const).filter((name) => Buffer.byteLength(status?.[name]?.message ?? '') > maxMessageBytes).map((name) => tooLong(`status.${name}.message`, maxMessageBytes)),
  ];
};
