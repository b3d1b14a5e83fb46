import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, bytes, mapOf, string } from '../../schema.ts';
import { validateConfigMapData } from '../../validation/data.ts';

const schema = topLevel('core.v1.ConfigMap', 'Configuration as keys and values.', {
  binaryData: mapOf(bytes('Value.'), 'Values that are not UTF-8 text, in base64.'),
  data: mapOf(string('Value.'), 'Values that are text.'),
  immutable: boolean('True to forbid any change of the values.'),
});

export const ConfigMap = defineKind(schema, {
  group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', scope: 'Namespaced',
  shortNames: ['cm'],
  columns: [
    nameColumn,
    column('Data', 'Number of keys.', ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length, { type: 'integer' }),
    ageColumn,
  ],
  validate: validateConfigMapData,
});
export type ConfigMap = BodyOf<typeof ConfigMap>;
