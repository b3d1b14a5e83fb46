/**
 * The schema of a custom kind, as the rest of the code walks it: what a CustomResourceDefinition says, without the forms
 * that a structural schema does not have. Every place of an object has one schema; what stands in allOf, anyOf, oneOf and
 * not only limits values further.
 */
import type { JsonSchema } from '../schema.ts';
import type { JsonSchemaProps, ValidationRule } from '../types/json-schema-props.ts';

/** A schema as of OpenAPI 3.0, where null and exclusive bounds are marks. */
export interface CustomSchema extends JsonSchema {
  readonly title?: string;
  readonly example?: unknown;
  readonly externalDocs?: unknown;
  readonly nullable?: true;
  readonly exclusiveMinimum?: true;
  readonly exclusiveMaximum?: true;
  readonly multipleOf?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: CustomSchema;
  readonly properties?: Readonly<Record<string, CustomSchema>>;
  readonly additionalProperties?: CustomSchema;
  readonly allOf?: readonly CustomSchema[];
  readonly anyOf?: readonly CustomSchema[];
  readonly oneOf?: readonly CustomSchema[];
  readonly not?: CustomSchema;
  readonly 'x-kubernetes-embedded-resource'?: true;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

const copied = [
  'title', 'description', 'type', 'format', 'default', 'example', 'externalDocs', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'multipleOf',
  'minItems', 'maxItems', 'minProperties', 'maxProperties', 'required', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'x-kubernetes-validations',
] as const satisfies readonly (keyof JsonSchemaProps & keyof CustomSchema)[];

/** Words that say something only when they are true. */
const marks = [
  'nullable', 'exclusiveMinimum', 'exclusiveMaximum', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string',
] as const satisfies readonly (keyof JsonSchemaProps & keyof CustomSchema)[];

const isSchema = (value: unknown): value is JsonSchemaProps => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Any JSON value, as `additionalProperties: true` allows it. */
const anyValue: CustomSchema = Object.freeze({ nullable: true, 'x-kubernetes-preserve-unknown-fields': true });

const mapped = (schemas: Readonly<Record<string, JsonSchemaProps>>): Readonly<Record<string, CustomSchema>> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, customSchema(schema)]));

/** The schema that JSONSchemaProps describe; what no structural schema has is left out. */
export const customSchema = (props: JsonSchemaProps): CustomSchema => {
  const out: Record<string, unknown> = {};
  for (const word of copied) if (props[word] !== undefined && !(props[word] === '' && word !== 'default' && word !== 'example')) out[word] = props[word];
  for (const mark of marks) if (props[mark] === true) out[mark] = true;
  if (isSchema(props.items)) out['items'] = customSchema(props.items);
  if (props.properties !== undefined) out['properties'] = mapped(props.properties);
  if (isSchema(props.additionalProperties)) out['additionalProperties'] = customSchema(props.additionalProperties);
  else if (props.additionalProperties === true) out['additionalProperties'] = anyValue;
  for (const word of ['allOf', 'anyOf', 'oneOf'] as const) if (props[word] !== undefined) out[word] = props[word].map(customSchema);
  if (props.not !== undefined) out['not'] = customSchema(props.not);
  return out as CustomSchema;
};
