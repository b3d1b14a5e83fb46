import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, bytes, mapOf, string } from '../../schema.ts';


const schema = topLevel('core.v1.Secret', '', {
  data: mapOf(bytes(''), ''),
  immutable: boolean(''),
  stringData: mapOf(string(''), ''),
  type: string(''),
});

export const Secret = defineKind(schema, {
  group: '', version: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced',
  columns: [],
});
export type Secret = BodyOf<typeof Secret>;
