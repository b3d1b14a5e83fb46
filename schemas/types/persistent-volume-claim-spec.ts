import { as, list, object, oneOf, string, type Static } from '../schema.ts';
import { LabelSelector } from '../types/label-selector.ts';
import { ObjectMeta } from '../types/object-meta.ts';
import { TypedLocalObjectReference, TypedObjectReference } from '../types/references.ts';
import { VolumeResourceRequirements } from '../types/resources.ts';

export const PersistentVolumeClaimSpec = object('core.v1.PersistentVolumeClaimSpec', 'What a claim asks of a volume.', {
  accessModes: list(string('Access mode.'), 'How the volume is to be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.', { listType: 'atomic' }),
  dataSource: as(TypedLocalObjectReference, 'A snapshot or claim from which the volume is filled.'),
  dataSourceRef: as(TypedObjectReference, 'Any object from which the volume is filled.'),
  resources: as(VolumeResourceRequirements, 'Least size that is wanted.', { 'x-barge-default-object': true }),
  selector: as(LabelSelector, 'Labels of the volumes that may be bound.'),
  storageClassName: string('Class of storage that is wanted.'),
  volumeAttributesClassName: string('Class of attributes that the volume gets.'),
  volumeMode: oneOf(['Block', 'Filesystem'], 'Whether the volume holds files or is a raw device.', { default: 'Filesystem' }),
  volumeName: string('Name of the volume that is bound to the claim.'),
});
export type PersistentVolumeClaimSpec = Static<typeof PersistentVolumeClaimSpec>;

export const PersistentVolumeClaimTemplate = object('core.v1.PersistentVolumeClaimTemplate', 'A claim that is made for each pod.', {
  metadata: as(ObjectMeta, 'Labels and annotations of the claim.'),
  spec: as(PersistentVolumeClaimSpec, 'What the claim asks for.'),
}, ['spec']);
export type PersistentVolumeClaimTemplate = Static<typeof PersistentVolumeClaimTemplate>;
