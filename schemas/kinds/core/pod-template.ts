import { column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { as } from '../../schema.ts';
import { joined, labelsText } from '../../table-cells.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';
import { validatePodTemplate } from '../../validation/pod-spec.ts';

const schema = topLevel('core.v1.PodTemplate', 'A pattern for pods that is kept by itself.', {
  template: as(PodTemplateSpec, 'The pattern.', { 'x-barge-default-object': true }),
}, ['template']);

export const PodTemplate = defineKind(schema, {
  group: '', version: 'v1', kind: 'PodTemplate', plural: 'podtemplates', scope: 'Namespaced',
  columns: [
    nameColumn,
    column('Containers', 'Names of the containers of each pod.', ({ template }) => joined(template.spec.containers.map((one) => one.name))),
    column('Images', 'Images of the containers.', ({ template }) => joined(template.spec.containers.map((one) => one.image ?? ''))),
    column('Pod Labels', 'Labels of each pod.', ({ template }) => labelsText(template.metadata?.labels)),
  ],
  prepare: ({ template }) => preparePodTemplateSpec(template.spec),
  validate: ({ template }) => validatePodTemplate(template, 'template'),
});
export type PodTemplate = BodyOf<typeof PodTemplate>;
