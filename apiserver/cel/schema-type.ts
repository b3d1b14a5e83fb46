/** The type that a JSON schema declares. */
import type { JsonSchema } from '../../schemas/schema.ts';
import { escapeName } from './escaped-names.ts';
import { anyMap, bool, bytes, double, duration, dyn, int, listOf, mapOf, string, timestamp, type CelField, type CelType } from './types.ts';

/** Deeper, everything is dyn: some schemas describe schemas. */
const maxDepth = 16;

/** Texts of some formats are values of their own. */
const ofFormat: Readonly<Record<string, CelType>> = { 'date-time': timestamp, 'date': timestamp, 'duration': duration, 'byte': bytes };

/** Members are named as CEL writes them (escapeName); what a schema leaves open, or takes in two types, is dyn. */
export const celTypeOf = (schema: JsonSchema, name = 'object', depth = 0): CelType => {
  if (depth > maxDepth || schema['x-kubernetes-int-or-string'] === true) return dyn;
  switch (schema.type) {
    case 'string': return ofFormat[schema.format ?? ''] ?? string;
    case 'integer': return int;
    case 'number': return double;
    case 'boolean': return bool;
    case 'array': return listType(schema, name, depth);
    case 'object': return objectType(schema, name, depth);
    default: return dyn;
  }
};

const listType = ({ items, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': mapKeys }: JsonSchema, name: string, depth: number): CelType => ({
  ...listOf(items === undefined ? dyn : celTypeOf(items, `${name}.items`, depth + 1)), ...(listType === 'set' || listType === 'map' ? { semantics: listType, mapKeys } : {}),
});

const objectType = ({ properties, additionalProperties, 'x-barge-type': typeName }: JsonSchema, name: string, depth: number): CelType => {
  if (properties === undefined) return additionalProperties === undefined ? anyMap : mapOf(string, celTypeOf(additionalProperties, `${name}.values`, depth + 1));
  const fields = Object.entries(properties).flatMap(([member, schema]): readonly (readonly [string, CelField])[] => {
    const escaped = escapeName(member);
    return escaped === undefined ? [] : [[escaped, { jsonName: member, type: celTypeOf(schema, `${name}.${member}`, depth + 1) }]];
  });
  return { kind: 'object', name: typeName ?? name, fields: new Map(fields) };
};
