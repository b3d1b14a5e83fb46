import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, list, object, string, type Static } from '../../schema.ts';
import { validateCsiNode } from '../../validation/csi.ts';

export const VolumeNodeResources = object('storage.v1.VolumeNodeResources', 'How many volumes a node can have.', {
  count: int32('Number of volumes of the driver that the node can have at one time; absent means any number.'),
});
export type VolumeNodeResources = Static<typeof VolumeNodeResources>;

export const CSINodeDriver = object('storage.v1.CSINodeDriver', 'A CSI driver on a node.', {
  allocatable: as(VolumeNodeResources, 'How many volumes of the driver the node can have.'),
  name: string('Name of the driver.'),
  nodeID: string('Name of the node as the driver knows it.'),
  topologyKeys: list(string('Label key.'), 'Labels of the node by which the driver knows places.', { listType: 'atomic' }),
}, ['name', 'nodeID']);
export type CSINodeDriver = Static<typeof CSINodeDriver>;

export const CSINodeSpec = object('storage.v1.CSINodeSpec', 'The CSI drivers of a node.', {
  drivers: list(CSINodeDriver, 'The drivers that run on the node.', { mapKeys: ['name'], mergeKey: 'name' }),
}, ['drivers']);
export type CSINodeSpec = Static<typeof CSINodeSpec>;

const schema = topLevel('storage.v1.CSINode', 'Which CSI drivers run on the node of the same name.', {
  spec: as(CSINodeSpec, 'The drivers of the node.'),
}, ['spec']);

export const CSINode = defineKind(schema, {
  group: 'storage.k8s.io', version: 'v1', kind: 'CSINode', plural: 'csinodes', scope: 'Cluster',
  generationCounts: [],
  updateNamesVersion: true,
  columns: [nameColumn, column('Drivers', 'Number of drivers on the node.', ({ spec }) => spec.drivers.length, { type: 'integer' }), ageColumn],
  validate: ({ spec }, old) => validateCsiNode(spec, old?.spec),
});
export type CSINode = BodyOf<typeof CSINode>;
