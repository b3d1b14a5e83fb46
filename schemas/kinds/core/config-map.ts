import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, bytes, mapOf, string } from '../../schema.ts';


const schema = topLevel('core.v1.ConfigMap', '', {
  binaryData: mapOf(bytes(''), ''),
  data: mapOf(string(''), ''),
  immutable: boolean(''),
});

export const ConfigMap = defineKind(schema, {
  group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', scope: 'Namespaced',
  shortNames: ['cm'],
  columns: [],
});
export type ConfigMap = BodyOf<typeof ConfigMap>;
