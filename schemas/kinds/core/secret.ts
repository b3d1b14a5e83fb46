import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, bytes, mapOf, string } from '../../schema.ts';
import { validateSecretData } from '../../validation/data.ts';

const schema = topLevel('core.v1.Secret', 'Values that are shown to few, such as passwords and keys.', {
  data: mapOf(bytes('Value.'), 'The values, in base64.'),
  immutable: boolean('True to forbid any change of the values.'),
  stringData: mapOf(string('Value.'), 'Values as plain text, for writing only; they are merged into data.'),
  type: string('What the secret is for; says which keys must be there.', { default: 'Opaque' }),
});

export const Secret = defineKind(schema, {
  group: '', version: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced',
  fields: { type: ({ type }) => type ?? '' },
  columns: [
    nameColumn,
    column('Type', 'What the secret is for.', ({ type }) => type ?? 'Opaque'),
    column('Data', 'Number of keys.', ({ data }) => Object.keys(data ?? {}).length, { type: 'integer' }),
    ageColumn,
  ],
  prepare: (secret) => {
    const { stringData } = secret;
    if (stringData === undefined) return;
    const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const);
    secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },
  validate: validateSecretData,
});
export type Secret = BodyOf<typeof Secret>;
