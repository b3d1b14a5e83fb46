/**
 * JSONSchemaProps, the form in which a CustomResourceDefinition writes the schema of a kind: JSON Schema as of OpenAPI
 * 3.0, and Kubernetes' extensions. It refers to itself, so its properties are put in once it is there.
 */
import { anything, boolean, int64, list, object, string, type JsonSchema, type Schema } from '../schema.ts';

/** A rule in CEL for the value at which it stands. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string | undefined;
  readonly messageExpression?: string | undefined;
  readonly reason?: string | undefined;
  readonly fieldPath?: string | undefined;
  readonly optionalOldSelf?: boolean | undefined;
}

export interface JsonSchemaProps {
  readonly $ref?: string | undefined;
  readonly $schema?: string | undefined;
  readonly id?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly type?: string | undefined;
  readonly format?: string | undefined;
  readonly nullable?: boolean | undefined;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly externalDocs?: { readonly description?: string | undefined; readonly url?: string | undefined } | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly pattern?: string | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: boolean | undefined;
  readonly exclusiveMaximum?: boolean | undefined;
  readonly multipleOf?: number | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly uniqueItems?: boolean | undefined;
  readonly minProperties?: number | undefined;
  readonly maxProperties?: number | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: JsonSchemaProps | readonly JsonSchemaProps[] | undefined;
  readonly additionalItems?: JsonSchemaProps | boolean | undefined;
  readonly properties?: Readonly<Record<string, JsonSchemaProps>> | undefined;
  readonly patternProperties?: Readonly<Record<string, JsonSchemaProps>> | undefined;
  readonly additionalProperties?: JsonSchemaProps | boolean | undefined;
  readonly definitions?: Readonly<Record<string, JsonSchemaProps>> | undefined;
  readonly dependencies?: Readonly<Record<string, JsonSchemaProps | readonly string[]>> | undefined;
  readonly allOf?: readonly JsonSchemaProps[] | undefined;
  readonly anyOf?: readonly JsonSchemaProps[] | undefined;
  readonly oneOf?: readonly JsonSchemaProps[] | undefined;
  readonly not?: JsonSchemaProps | undefined;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean | undefined;
  readonly 'x-kubernetes-embedded-resource'?: boolean | undefined;
  readonly 'x-kubernetes-int-or-string'?: boolean | undefined;
  readonly 'x-kubernetes-list-type'?: string | undefined;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[] | undefined;
  readonly 'x-kubernetes-map-type'?: string | undefined;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[] | undefined;
}

const ValidationRule = object('apiextensions.v1.ValidationRule', 'A rule in CEL for the value at which it stands.', {
  fieldPath: string('Path, from the value on, of the field that a refusal names.'),
  message: string('What a refusal says.'),
  messageExpression: string('Expression in CEL that gives what a refusal says.'),
  optionalOldSelf: boolean('The rule also runs where there is no old value; oldSelf is an optional then.'),
  reason: string('Why a field is refused: FieldValueInvalid, FieldValueForbidden, FieldValueRequired or FieldValueDuplicate.'),
  rule: string('Expression in CEL over self, and oldSelf for updates, that must be true.'),
}, ['rule']);

const ExternalDocumentation = object('apiextensions.v1.ExternalDocumentation', 'Where more is written.', {
  description: string('What is written there.'),
  url: string('Address of the page.'),
});

const properties: Record<string, JsonSchema> = {};

/** The schema of a schema. */
export const JsonSchemaProps: Schema<JsonSchemaProps> = { type: 'object', 'x-barge-type': 'apiextensions.v1.JSONSchemaProps', description: 'Schema of a value.', properties };

const self = (description: string): JsonSchema => ({ ...JsonSchemaProps, description });
const selves = (description: string): JsonSchema => list(JsonSchemaProps, description, { listType: 'atomic' });
const byName = (description: string, values: JsonSchema = JsonSchemaProps): JsonSchema => ({ type: 'object', additionalProperties: values, description });
const json = (description: string): JsonSchema => anything(description, { 'x-barge-type': 'apiextensions.v1.JSON' });
const number = (description: string): JsonSchema => ({ type: 'number', format: 'double', description });

/** A schema, or a value of another JSON type. */
const or = (name: string, description: string, other: JsonSchema): JsonSchema => ({ 'x-barge-type': `apiextensions.v1.JSONSchemaPropsOr${name}`, description, 'x-barge-either': [JsonSchemaProps, other] });
const orBool = (description: string): JsonSchema => or('Bool', description, boolean('Whether any value is allowed.'));

Object.assign(properties, {
  $ref: string('Reference to another schema; not allowed in a structural schema.'),
  $schema: string('Dialect of the schema; not looked at.'),
  additionalItems: orBool('Schema of items beyond those listed; not allowed in a structural schema.'),
  additionalProperties: orBool('Schema of the members that properties does not name: the object is a map.'),
  allOf: selves('The value must fit all of these.'),
  anyOf: selves('The value must fit at least one of these.'),
  default: json('What stands in a field that an object leaves out.'),
  definitions: byName('Named schemas; not allowed in a structural schema.'),
  dependencies: byName('What must be there when a member is; not allowed in a structural schema.', or('StringArray', 'A schema, or names of members.', { type: 'array', items: string('Name of a member.') })),
  description: string('What the value means, as explain prints it.'),
  enum: list(json('A value.'), 'The values that are allowed.', { listType: 'atomic' }),
  example: json('An example of a value.'),
  exclusiveMaximum: boolean('The value must be less than maximum, not equal.'),
  exclusiveMinimum: boolean('The value must be greater than minimum, not equal.'),
  externalDocs: { ...ExternalDocumentation, description: 'Where more is written about the value.' },
  format: string('What a string or number means: date-time, int32, ipv4 and others; one that is not known is not checked.'),
  id: string('Name of the schema; not allowed in a structural schema.'),
  items: or('Array', 'Schema of the items of a list.', { type: 'array', items: JsonSchemaProps }),
  maxItems: int64('Most items of a list.'),
  maxLength: int64('Most characters of a string.'),
  maxProperties: int64('Most members of an object.'),
  maximum: number('Largest number.'),
  minItems: int64('Fewest items of a list.'),
  minLength: int64('Fewest characters of a string.'),
  minProperties: int64('Fewest members of an object.'),
  minimum: number('Smallest number.'),
  multipleOf: number('The number must be a multiple of this one.'),
  not: self('The value must not fit this.'),
  nullable: boolean('The value may be null.'),
  oneOf: selves('The value must fit exactly one of these.'),
  pattern: string('Regular expression, of RE2, that must match somewhere in a string.'),
  patternProperties: byName('Schemas by patterns of names; not allowed in a structural schema.'),
  properties: byName('Schemas of the members of an object.'),
  required: list(string('Name of a member.'), 'Members that must be there.', { listType: 'atomic' }),
  title: string('Short name of the value.'),
  type: string('JSON type of the value: object, array, string, integer, number or boolean.'),
  uniqueItems: boolean('No item may be there twice; not allowed to be true: x-kubernetes-list-type says it.'),
  'x-kubernetes-embedded-resource': boolean('The value is an object of the API with apiVersion, kind and metadata.'),
  'x-kubernetes-int-or-string': boolean('The value is an integer or a string.'),
  'x-kubernetes-list-map-keys': list(string('Name of a member.'), 'Members by which the items of a list of type map are known.', { listType: 'atomic' }),
  'x-kubernetes-list-type': string('How a list is merged and owned: atomic, set or map.'),
  'x-kubernetes-map-type': string('How an object is merged and owned: granular or atomic.'),
  'x-kubernetes-preserve-unknown-fields': boolean('Members that the schema does not name are kept.'),
  'x-kubernetes-validations': list(ValidationRule, 'Rules in CEL for the value.', { mapKeys: ['rule'], mergeKey: 'rule' }),
} satisfies Record<string, JsonSchema>);
