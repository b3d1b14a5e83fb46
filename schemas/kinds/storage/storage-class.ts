import { ageColumn, column } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, list, mapOf, oneOf, string } from '../../schema.ts';
import { TopologySelectorTerm } from '../../types/topology-selector.ts';
import { validateStorageClass } from '../../validation/storage.ts';
import { isDefaultClass } from '../../volumes/storage-class-of.ts';
import { warnNodeLabel } from '../../warnings/deprecated.ts';

const schema = topLevel('storage.v1.StorageClass', 'A sort of storage from which volumes are made on request.', {
  allowVolumeExpansion: boolean('True when volumes of the class can be made larger.'),
  allowedTopologies: list(TopologySelectorTerm, 'Places at which volumes may be made; empty means anywhere.', { listType: 'atomic' }),
  mountOptions: list(string('Option.'), 'Options with which volumes of the class are mounted, such as ro.', { listType: 'atomic' }),
  parameters: mapOf(string('Value.'), 'Settings for the provisioner. They cannot be changed.'),
  provisioner: string('Who makes the volumes. It cannot be changed.'),
  reclaimPolicy: oneOf(['Delete', 'Retain'], 'What becomes of a volume when its claim goes. It cannot be changed.', { default: 'Delete' }),
  volumeBindingMode: oneOf(['Immediate', 'WaitForFirstConsumer'], 'Whether a volume is made at once or when the first pod needs it. It cannot be changed.', { default: 'Immediate' }),
}, ['provisioner']);

export const StorageClass = defineKind(schema, {
  group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass', plural: 'storageclasses', scope: 'Cluster',
  shortNames: ['sc'],
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name of the class, and whether it is the default.', priority: 0, cell: (one) => `${one.metadata.name ?? ''}${isDefaultClass(one) ? ' (default)' : ''}` },
    column('Provisioner', 'Who makes the volumes.', ({ provisioner }) => provisioner),
    column('ReclaimPolicy', 'What becomes of a volume when its claim goes.', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    column('VolumeBindingMode', 'When a volume is made.', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
    column('AllowVolumeExpansion', 'Whether volumes can be made larger.', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
  validate: validateStorageClass,
  warn: ({ allowedTopologies = [] }) => allowedTopologies.flatMap(({ matchLabelExpressions = [] }, term) =>
    matchLabelExpressions.flatMap(({ key }, index) => warnNodeLabel(key, `allowedTopologies[${term}].matchLabelExpressions[${index}].key`))),
});
export type StorageClass = BodyOf<typeof StorageClass>;
