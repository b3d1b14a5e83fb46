/**
 * The schemas of custom kinds as OpenAPI has them. Version 3 says what the definition says. Version 2 has no words for
 * null and alternatives, and kubectl up to 1.28 checks manifests by it: what it would refuse wrongly is left out.
 */
import type { CustomSchema } from '../schemas/custom/custom-schema.ts';
import type { Json, OpenApiVersion } from './openapi-schemas.ts';

const common = [
  'title', 'description', 'type', 'format', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
  'minItems', 'maxItems', 'minProperties', 'maxProperties', 'required', 'example', 'externalDocs', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string', 'x-kubernetes-validations',
] as const satisfies readonly (keyof CustomSchema)[];

/** What an embedded object has whatever its schema says. */
const embedded: Json = {
  apiVersion: { type: 'string', description: 'Version of the schema of the object.' }, kind: { type: 'string', description: 'Name of the kind.' },
  metadata: { type: 'object', description: 'Name, labels and life of the object.', 'x-kubernetes-preserve-unknown-fields': true },
};

const words = (schema: CustomSchema, names: readonly (keyof CustomSchema)[]): Record<string, unknown> =>
  Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));

const mapped = (schemas: Readonly<Record<string, CustomSchema>>, version: OpenApiVersion): Json =>
  Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, customSchemaJson(one, version)]));

/** The schema of a value in the given version of OpenAPI. */
export const customSchemaJson = (schema: CustomSchema, version: OpenApiVersion): Json => {
  const out = words(schema, common);
  const { properties, items, additionalProperties } = schema;
  if (version === 'v3') {
    Object.assign(out, words(schema, ['default', 'nullable']));
    for (const word of ['allOf', 'anyOf', 'oneOf'] as const) if (schema[word] !== undefined) out[word] = schema[word].map((one) => customSchemaJson(one, version));
    if (schema.not !== undefined) out['not'] = customSchemaJson(schema.not, version);
  } else if (schema.nullable === true) {
    for (const word of ['type', 'enum', 'required', 'format', 'pattern']) delete out[word];
    return out;
  } else if (schema['x-kubernetes-preserve-unknown-fields'] === true) {
    delete out['required'];
    return out;
  }
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  if (properties !== undefined || isEmbedded) out['properties'] = { ...mapped(properties ?? {}, version), ...(isEmbedded ? embedded : {}) };
  if (items !== undefined) out['items'] = customSchemaJson(items, version);
  if (additionalProperties !== undefined) out['additionalProperties'] = customSchemaJson(additionalProperties, version);
  return out;
};
