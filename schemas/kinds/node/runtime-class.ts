import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { refused, wrong } from '../../errors.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotDnsLabel } from '../../names.ts';
import { as, list, mapOf, object, quantity, string, type Static } from '../../schema.ts';
import { Toleration } from '../../types/affinity.ts';
import { validateLabels } from '../../validation/object-meta.ts';
import { validateAmounts } from '../../validation/resources.ts';
import { validateTolerations } from '../../validation/scheduling.ts';
import { warnNodeLabel } from '../../warnings/deprecated.ts';

export const Overhead = object('node.v1.Overhead', 'What running a pod costs beside its containers.', {
  podFixed: mapOf(quantity('Amount.'), 'Resources that each pod takes in addition.'),
});
export type Overhead = Static<typeof Overhead>;

export const Scheduling = object('node.v1.Scheduling', 'Where pods of a runtime class can run.', {
  nodeSelector: mapOf(string('Value.'), 'Labels that a node must have, added to those that the pod asks for.', { 'x-kubernetes-map-type': 'atomic' }),
  tolerations: list(Toleration, 'Taints that the pods tolerate in addition.', { listType: 'atomic' }),
});
export type Scheduling = Static<typeof Scheduling>;

const schema = topLevel('node.v1.RuntimeClass', 'A way of running the containers of pods.', {
  handler: string("Name of the way in the settings of the nodes' runtimes. It cannot be changed."),
  overhead: as(Overhead, 'What running a pod in this way costs.'),
  scheduling: as(Scheduling, 'Nodes that know the way; absent means all.'),
}, ['handler']);

export const RuntimeClass = defineKind(schema, {
  group: 'node.k8s.io', version: 'v1', kind: 'RuntimeClass', plural: 'runtimeclasses', scope: 'Cluster',
  updateNamesVersion: true,
  createOnUpdate: true,
  columns: [nameColumn, column('Handler', "Name of the way in the settings of the nodes' runtimes.", ({ handler }) => handler), ageColumn],
  validate: ({ handler, overhead, scheduling }, old) => [
    ...refused('handler', handler, whyNotDnsLabel(handler)),
    ...validateAmounts(overhead?.podFixed, 'overhead.podFixed'),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(scheduling?.tolerations, 'scheduling.tolerations'),
    ...(old === undefined || handler === old.handler ? [] : [wrong('handler', handler, 'field is immutable')]),
  ],
  warn: ({ scheduling }) => Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => warnNodeLabel(label, 'scheduling.nodeSelector')),
});
export type RuntimeClass = BodyOf<typeof RuntimeClass>;
