import { column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { cpuCell, measured, memoryCell, Usage } from '../../types/usage.ts';

const schema = topLevel('metrics.v1beta1.NodeMetrics', 'What a node uses, as its agent measured it last.', { ...measured, usage: Usage }, ['timestamp', 'window', 'usage']);

/** Measured when it is asked for and never stored; named like the node. */
export const NodeMetrics = defineKind(schema, {
  group: 'metrics.k8s.io', version: 'v1beta1', kind: 'NodeMetrics', plural: 'nodes', singular: '', scope: 'Cluster',
  verbs: ['get', 'list'],
  columns: [
    nameColumn,
    column('CPU', 'Thousandths of a core.', ({ usage }) => cpuCell([usage])),
    column('Memory', 'Working set.', ({ usage }) => memoryCell([usage])),
    column('Window', 'Time over which was measured.', ({ window }) => window),
  ],
});
export type NodeMetrics = BodyOf<typeof NodeMetrics>;
