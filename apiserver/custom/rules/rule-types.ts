/** The types that values of a custom schema have in CEL, by the rules of Kubernetes. */
import type { CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import { escapeName } from '../../cel/escaped-names.ts';
import { bool, bytes, double, duration, dyn, int, mapOf, string, timestamp, type CelField, type CelType } from '../../cel/types.ts';

/** Formats of strings that CEL has types for. */
const ofFormat: Readonly<Record<string, CelType>> = { 'date-time': timestamp, 'datetime': timestamp, 'date': timestamp, 'duration': duration, 'byte': bytes };

const objectType = (name: string, members: Readonly<Record<string, CelType>>): CelType => {
  const fields = new Map<string, CelField>();
  for (const [jsonName, type] of Object.entries(members)) {
    const escaped = escapeName(jsonName);
    if (escaped !== undefined) fields.set(escaped, { jsonName, type });
  }
  return { kind: 'object', name, fields };
};

/** What is known of the metadata of any object. */
const metadataType = objectType('metadata', { name: string, generateName: string });
const ofObjects = { apiVersion: string, kind: string, metadata: metadataType };

/** The type of a value; `name` tells objects apart, and `whole` says that the value is an object of the API. */
export const ruleType = (schema: CustomSchema, name: string, { whole = false }: { readonly whole?: boolean } = {}): CelType => {
  if (schema['x-kubernetes-int-or-string'] === true) return dyn;
  switch (schema.type) {
    case 'object': {
      const { properties, additionalProperties: values } = schema;
      if (properties === undefined && values !== undefined) return mapOf(string, ruleType(values, `${name}.@values`));
      const own = Object.fromEntries(Object.entries(properties ?? {}).map(([member, one]) => [member, ruleType(one, `${name}.${member}`)]));
      return objectType(name, whole || schema['x-kubernetes-embedded-resource'] === true ? { ...own, ...ofObjects } : own);
    }
    case 'array': {
      const list = schema['x-kubernetes-list-type'];
      return {
        kind: 'list', item: ruleType(schema.items ?? {}, `${name}.@items`),
        ...(list === 'set' || list === 'map' ? { semantics: list } : {}), ...(list === 'map' ? { mapKeys: schema['x-kubernetes-list-map-keys'] ?? [] } : {}),
      };
    }
    case 'string': return ofFormat[schema.format ?? ''] ?? string;
    case 'integer': return int;
    case 'number': return double;
    case 'boolean': return bool;
    default: return dyn;
  }
};
