import { column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { list, object, string, type Static } from '../../schema.ts';

export const ComponentCondition = object('core.v1.ComponentCondition', 'One aspect of the state of a component.', {
  error: string('Error of the last look at the component.'),
  message: string('Explanation for people.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect: Healthy.'),
}, ['status', 'type']);
export type ComponentCondition = Static<typeof ComponentCondition>;

const schema = topLevel('core.v1.ComponentStatus', 'How a part of the control plane is. Long given up in favour of health checks: there are none.', {
  conditions: list(ComponentCondition, "Aspects of the component's state.", { mapKeys: ['type'], mergeKey: 'type' }),
});

const condition = ({ conditions }: { readonly conditions?: readonly ComponentCondition[] | undefined }): ComponentCondition | undefined =>
  conditions?.find(({ type }) => type === 'Healthy');

const words: Readonly<Record<string, string>> = { True: 'Healthy', False: 'Unhealthy' };

export const ComponentStatus = defineKind(schema, {
  group: '', version: 'v1', kind: 'ComponentStatus', plural: 'componentstatuses', scope: 'Cluster',
  shortNames: ['cs'],
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    column('Status', 'Whether the component is healthy.', (component) => words[condition(component)?.status ?? ''] ?? 'Unknown'),
    column('Message', 'Explanation for people.', (component) => condition(component)?.message ?? ''),
    column('Error', 'Error of the last look at the component.', (component) => condition(component)?.error ?? ''),
  ],
});
export type ComponentStatus = BodyOf<typeof ComponentStatus>;
