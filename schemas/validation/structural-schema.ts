/**
 * Rules for the schema of a custom kind. It must be structural: the type of every place is said once, outside of allOf,
 * anyOf, oneOf and not, so that pruning, defaults, merging and documentation can walk it without looking at a value.
 */
import { forbidden, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { whyNotPattern } from '../custom/patterns.ts';
import type { JsonSchemaProps } from '../types/json-schema-props.ts';
import { validateListType, validateMapType } from './list-types.ts';

/** Places of one schema, those in allOf, anyOf, oneOf and not included; the largest known kinds have about 10,000. */
export const maxSchemaNodes = 20_000;
/** How deep places may be nested. */
export const maxSchemaDepth = 45;
/** Rules in CEL of one schema. */
export const maxSchemaRules = 1_000;

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

interface Walk {
  readonly errors: FieldError[];
  nodes: number;
  rules: number;
}

/** What a place is within the schema. */
type Place = 'root' | 'property' | 'item' | 'value';

const placeWords: Readonly<Record<Place, string>> = {
  root: 'at the root', property: 'for specified object fields', item: 'for specified array items', value: 'for specified additionalProperties',
};

const isSchema = (value: unknown): value is JsonSchemaProps => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Words that no structural schema has anywhere. */
const never = ['$ref', '$schema', 'id', 'definitions', 'dependencies', 'patternProperties', 'additionalItems'] as const;

const validateNever = (schema: JsonSchemaProps, at: string): readonly FieldError[] => [
  ...never.filter((word) => word !== '$schema' && schema[word] !== undefined && schema[word] !== '').map((word) => forbidden(`${at}.${word}`, `${word} is not supported`)),
  ...(schema.uniqueItems === true ? [forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic')] : []),
  ...(Array.isArray(schema.items) ? [forbidden(`${at}.items`, 'items must be a schema object and not an array')] : []),
  ...(schema.additionalProperties === false ? [forbidden(`${at}.additionalProperties`, 'additionalProperties cannot be set to false')] : []),
];

const counts = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const;

/** Rules for the words that limit a value, which may stand anywhere. */
const validateLimits = (schema: JsonSchemaProps, at: string): readonly FieldError[] => {
  const { pattern, multipleOf, enum: words, exclusiveMinimum, exclusiveMaximum, minimum, maximum } = schema;
  const why = pattern === undefined ? undefined : whyNotPattern(pattern);
  return [
    ...(pattern === undefined || why === undefined ? [] : [wrong(`${at}.pattern`, pattern, why)]),
    ...counts.flatMap((word) => ((schema[word] ?? 0) < 0 ? [wrong(`${at}.${word}`, schema[word], 'must be greater than or equal to 0')] : [])),
    ...(multipleOf === undefined || multipleOf > 0 ? [] : [wrong(`${at}.multipleOf`, multipleOf, 'must be greater than 0')]),
    ...(words?.length === 0 ? [required(`${at}.enum`, 'must list at least one value')] : []),
    ...(exclusiveMinimum === true && minimum === undefined ? [required(`${at}.minimum`, 'must be there where exclusiveMinimum is true')] : []),
    ...(exclusiveMaximum === true && maximum === undefined ? [required(`${at}.maximum`, 'must be there where exclusiveMaximum is true')] : []),
  ];
};

const isIntOrString = (schema: JsonSchemaProps): boolean => schema['x-kubernetes-int-or-string'] === true;
const keepsUnknown = (schema: JsonSchemaProps): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;
const isEmbedded = (schema: JsonSchemaProps): boolean => schema['x-kubernetes-embedded-resource'] === true;

const validateType = (schema: JsonSchemaProps, place: Place, at: string): readonly FieldError[] => {
  const { type = '', nullable } = schema;
  if (place === 'root') {
    return [
      ...(type === '' ? [required(`${at}.type`, 'must not be empty at the root')] : type === 'object' ? [] : [wrong(`${at}.type`, type, 'must be object at the root')]),
      ...(nullable === true ? [forbidden(`${at}.nullable`, 'nullable cannot be true at the root')] : []),
      ...(isEmbedded(schema) ? [forbidden(`${at}.x-kubernetes-embedded-resource`, 'must not be true at the root')] : []),
    ];
  }
  if (type === '') return isIntOrString(schema) || keepsUnknown(schema) ? [] : [required(`${at}.type`, `must not be empty ${placeWords[place]}`)];
  if (type === 'null') return [forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative')];
  return types.includes(type) ? [] : [unsupported(`${at}.type`, type, types)];
};

const validateExtensions = (schema: JsonSchemaProps, at: string): readonly FieldError[] => {
  const { type = '', properties, additionalProperties } = schema;
  const errors: FieldError[] = [];
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) errors.push(wrong(`${at}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  if (isIntOrString(schema)) {
    for (const other of ['x-kubernetes-embedded-resource', 'x-kubernetes-preserve-unknown-fields'] as const) {
      if (schema[other] === true) errors.push(forbidden(`${at}.${other}`, 'must be false if x-kubernetes-int-or-string is true'));
    }
    if (type !== '') errors.push(forbidden(`${at}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  }
  if (isEmbedded(schema)) {
    if (type !== 'object') errors.push(type === '' ? required(`${at}.type`, 'must be object if x-kubernetes-embedded-resource is true') : wrong(`${at}.type`, type, 'must be object if x-kubernetes-embedded-resource is true'));
    if (!keepsUnknown(schema) && Object.keys(properties ?? {}).length === 0) errors.push(required(`${at}.properties`, 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'));
  }
  if (properties !== undefined && additionalProperties !== undefined) errors.push(forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  if (type !== 'object' && type !== '' && (properties !== undefined || additionalProperties !== undefined)) errors.push(wrong(`${at}.type`, type, 'must be object where properties or additionalProperties are given'));
  if (type === 'array' && schema.items === undefined) errors.push(required(`${at}.items`, 'must be specified'));
  return errors;
};

/** Metadata of the object itself, or of an embedded one, is the server's; only its name may be narrowed. */
const validateMetadata = (schema: JsonSchemaProps, at: string): readonly FieldError[] => {
  const { type = '', properties = {}, description: _description, ...others } = schema;
  return [
    ...(type === 'object' ? [] : [wrong(`${at}.type`, type, 'must be object')]),
    ...Object.keys(others).filter((word) => (others as Readonly<Record<string, unknown>>)[word] !== undefined).map((word) => forbidden(`${at}.${word}`, 'must not be specified for metadata')),
    ...Object.keys(properties).filter((name) => name !== 'name' && name !== 'generateName').map((name) => forbidden(`${at}.properties[${name}]`, 'must not be specified in a nested context: only name and generateName of metadata can be restricted')),
  ];
};

/** What only the places themselves may say, and never allOf, anyOf, oneOf and not. */
const ofPlaces = [
  'description', 'title', 'type', 'default', 'example', 'externalDocs', 'nullable', 'additionalProperties', 'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'x-kubernetes-validations',
] as const;

const isSaid = (value: unknown): boolean => value !== undefined && value !== false && value !== '';

/** The two forms in which people say that a value is an integer or a string. */
const saysIntOrString = ({ anyOf, ...others }: JsonSchemaProps): boolean =>
  anyOf?.length === 2 && anyOf[0]?.type === 'integer' && anyOf[1]?.type === 'string' && anyOf.every((one) => Object.values(one).filter(isSaid).length === 1)
  && Object.values(others).every((value) => !isSaid(value));

/** A schema in allOf, anyOf, oneOf or not, for the place that `structural` describes. */
const walkLimits = (walk: Walk, schema: JsonSchemaProps, structural: JsonSchemaProps | undefined, at: string, depth: number): void => {
  if (!count(walk, at, depth)) return;
  for (const word of ofPlaces) if (isSaid(schema[word])) walk.errors.push(forbidden(`${at}.${word}`, `must be ${word === 'type' || word === 'description' || word === 'title' ? 'empty' : 'undefined'} to be structural`));
  walk.errors.push(...validateNever(schema, at), ...validateLimits(schema, at));
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    const place = structural?.properties !== undefined && Object.hasOwn(structural.properties, name) ? structural.properties[name]
      : isSchema(structural?.additionalProperties) ? structural.additionalProperties : undefined;
    if (place === undefined && structural !== undefined) walk.errors.push(required(`${structuralPath(at)}.properties[${name}]`, `because it is defined in ${at}.properties[${name}]`));
    walkLimits(walk, one, place, `${at}.properties[${name}]`, depth + 1);
  }
  if (isSchema(schema.items)) {
    if (structural !== undefined && !isSchema(structural.items)) walk.errors.push(required(`${structuralPath(at)}.items`, `because it is defined in ${at}.items`));
    walkLimits(walk, schema.items, isSchema(structural?.items) ? structural.items : undefined, `${at}.items`, depth + 1);
  }
  walkJunctions(walk, schema, structural, at, depth);
};

/** The place that a path in allOf, anyOf, oneOf or not speaks of. */
const structuralPath = (at: string): string => at.replaceAll(/\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not(?![\w-])/g, '');

const walkJunctions = (walk: Walk, schema: JsonSchemaProps, structural: JsonSchemaProps | undefined, at: string, depth: number): void => {
  const pair = structural !== undefined && isIntOrString(structural);
  if (!(pair && saysIntOrString({ anyOf: schema.anyOf }))) {
    for (const [index, one] of (schema.anyOf ?? []).entries()) walkLimits(walk, one, structural, `${at}.anyOf[${index}]`, depth + 1);
  }
  for (const [index, one] of (schema.allOf ?? []).entries()) if (!(pair && index === 0 && saysIntOrString(one))) walkLimits(walk, one, structural, `${at}.allOf[${index}]`, depth + 1);
  for (const [index, one] of (schema.oneOf ?? []).entries()) walkLimits(walk, one, structural, `${at}.oneOf[${index}]`, depth + 1);
  if (schema.not !== undefined) walkLimits(walk, schema.not, structural, `${at}.not`, depth + 1);
};

/** False where the schema is too large to be looked at further. */
const count = (walk: Walk, at: string, depth: number): boolean => {
  walk.nodes++;
  if (walk.nodes === maxSchemaNodes + 1) walk.errors.push(forbidden(at, `the schema has more than ${maxSchemaNodes} places`));
  if (depth > maxSchemaDepth) walk.errors.push(forbidden(at, `the schema is nested more than ${maxSchemaDepth} levels deep`));
  return walk.nodes <= maxSchemaNodes && depth <= maxSchemaDepth;
};

const walkPlace = (walk: Walk, schema: JsonSchemaProps, place: Place, at: string, depth: number): void => {
  if (!count(walk, at, depth)) return;
  walk.rules += schema['x-kubernetes-validations']?.length ?? 0;
  walk.errors.push(
    ...validateType(schema, place, at), ...validateNever(schema, at), ...validateLimits(schema, at), ...validateExtensions(schema, at),
    ...validateListType(schema, at), ...validateMapType(schema, at),
  );
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    const here = `${at}.properties[${name}]`;
    if (name === 'metadata' && place === 'root') {
      walk.errors.push(...validateMetadata(one, here));
    } else if ((name === 'apiVersion' || name === 'kind') && (place === 'root' || isEmbedded(schema)) && one.type !== 'string') {
      walk.errors.push(wrong(`${here}.type`, one.type ?? '', 'must be string'));
    } else {
      walkPlace(walk, one, 'property', here, depth + 1);
    }
  }
  if (isSchema(schema.items)) walkPlace(walk, schema.items, 'item', `${at}.items`, depth + 1);
  if (isSchema(schema.additionalProperties)) walkPlace(walk, schema.additionalProperties, 'value', `${at}.additionalProperties`, depth + 1);
  walkJunctions(walk, schema, schema, at, depth);
};

/** Everything that keeps a schema from being structural; defaults and rules in CEL are looked at elsewhere. */
export const validateStructural = (schema: JsonSchemaProps, at: string): readonly FieldError[] => {
  const walk: Walk = { errors: [], nodes: 0, rules: 0 };
  walkPlace(walk, schema, 'root', at, 1);
  if (walk.rules > maxSchemaRules) walk.errors.push(forbidden(at, `the schema has more than ${maxSchemaRules} rules in x-kubernetes-validations`));
  return walk.errors;
};
