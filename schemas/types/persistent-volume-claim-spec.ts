import { list, object, string, type Static } from '../schema.ts';
import { LabelSelector } from '../types/label-selector.ts';
import { ObjectMeta } from '../types/object-meta.ts';
import { TypedLocalObjectReference, TypedObjectReference } from '../types/references.ts';
import { VolumeResourceRequirements } from '../types/resources.ts';

export const PersistentVolumeClaimSpec = object('core.v1.PersistentVolumeClaimSpec', '', {
  accessModes: list(string(''), '', { listType: 'atomic' }),
  dataSource: TypedLocalObjectReference,
  dataSourceRef: TypedObjectReference,
  resources: VolumeResourceRequirements,
  selector: LabelSelector,
  storageClassName: string(''),
  volumeAttributesClassName: string(''),
  volumeMode: string(''),
  volumeName: string(''),
});
export type PersistentVolumeClaimSpec = Static<typeof PersistentVolumeClaimSpec>;

export const PersistentVolumeClaimTemplate = object('core.v1.PersistentVolumeClaimTemplate', '', {
  metadata: ObjectMeta,
  spec: PersistentVolumeClaimSpec,
}, ['spec']);
export type PersistentVolumeClaimTemplate = Static<typeof PersistentVolumeClaimTemplate>;
