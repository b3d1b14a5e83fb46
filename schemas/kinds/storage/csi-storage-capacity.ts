import { column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, quantity, string } from '../../schema.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { validateCsiStorageCapacity } from '../../validation/csi.ts';
import { warnNodeLabel, warnNodeTerm } from '../../warnings/deprecated.ts';

const schema = topLevel('storage.v1.CSIStorageCapacity', 'How much room a storage class has at a place.', {
  capacity: quantity('Room that is left, in bytes; absent means that it is not known.'),
  maximumVolumeSize: quantity('Size of the largest volume that can be made, in bytes.'),
  nodeTopology: as(LabelSelector, 'Nodes that can reach the storage; absent means none. It cannot be changed.'),
  storageClassName: string('Storage class that the room belongs to. It cannot be changed.'),
}, ['storageClassName']);

export const CSIStorageCapacity = defineKind(schema, {
  group: 'storage.k8s.io', version: 'v1', kind: 'CSIStorageCapacity', plural: 'csistoragecapacities', scope: 'Namespaced',
  updateNamesVersion: true,
  columns: [
    nameColumn,
    column('StorageClassName', 'Storage class that the room belongs to.', ({ storageClassName }) => storageClassName),
    column('Capacity', 'Room that is left.', ({ capacity }) => capacity ?? '<unset>'),
  ],
  validate: validateCsiStorageCapacity,
  warn: ({ nodeTopology: { matchLabels = {}, ...expressions } = {} }) => [
    ...warnNodeTerm(expressions, 'nodeTopology'),
    ...Object.keys(matchLabels).flatMap((label) => warnNodeLabel(label, `nodeTopology.matchLabels[${label}]`)),
  ],
});
export type CSIStorageCapacity = BodyOf<typeof CSIStorageCapacity>;
