import { column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { list, object, string, type Static } from '../../schema.ts';
import { cpuCell, measured, memoryCell, Usage } from '../../types/usage.ts';

export const ContainerMetrics = object('metrics.v1beta1.ContainerMetrics', 'What a container uses.', {
  name: string('Name of the container.'),
  usage: Usage,
}, ['name', 'usage']);
export type ContainerMetrics = Static<typeof ContainerMetrics>;

const schema = topLevel('metrics.v1beta1.PodMetrics', 'What the containers of a pod use, as the agent of its node measured it last.', {
  ...measured, containers: list(ContainerMetrics, 'The containers that run.', { listType: 'atomic' }),
}, ['timestamp', 'window', 'containers']);

const usages = ({ containers }: { readonly containers: readonly ContainerMetrics[] }): readonly Readonly<Record<string, string>>[] => containers.map(({ usage }) => usage);

/** Measured when it is asked for and never stored; named like the pod, with its labels. */
export const PodMetrics = defineKind(schema, {
  group: 'metrics.k8s.io', version: 'v1beta1', kind: 'PodMetrics', plural: 'pods', singular: '', scope: 'Namespaced',
  verbs: ['get', 'list'],
  columns: [
    nameColumn,
    column('CPU', 'Thousandths of a core.', (metrics) => cpuCell(usages(metrics))),
    column('Memory', 'Working set.', (metrics) => memoryCell(usages(metrics))),
    column('Window', 'Time over which was measured.', ({ window }) => window),
  ],
});
export type PodMetrics = BodyOf<typeof PodMetrics>;
