import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { mapOf, string } from '../../schema.ts';
import { validateVolumeAttributesClass } from '../../validation/storage.ts';

const schema = topLevel('storage.v1.VolumeAttributesClass', 'Settings of volumes that can be changed while they are in use.', {
  driverName: string('CSI driver that the settings are for. It cannot be changed.'),
  parameters: mapOf(string('Value.'), 'The settings, at least one. They cannot be changed.'),
}, ['driverName']);

export const VolumeAttributesClass = defineKind(schema, {
  group: 'storage.k8s.io', version: 'v1', kind: 'VolumeAttributesClass', plural: 'volumeattributesclasses', scope: 'Cluster',
  shortNames: ['vac'],
  columns: [nameColumn, column('DriverName', 'CSI driver that the settings are for.', ({ driverName }) => driverName), ageColumn],
  validate: validateVolumeAttributesClass,
});
export type VolumeAttributesClass = BodyOf<typeof VolumeAttributesClass>;
