/**
 * Checks of custom objects, by ajv as for all kinds, but in other instances: null is a value here, patterns run in
 * linear time, and members that every JavaScript object inherits are not taken for the client's.
 *
 * A schema is compiled in parts, each when a value first reaches it: ajv's time and memory grow faster than a schema, and
 * most of a large one no object uses.
 */
import type { Ajv, ErrorObject, SchemaValidateFunction, ValidateFunction } from 'ajv';
import { newAjv } from '../ajv.ts';
import { addUniqueKeyword, findingOf, placeOf, uniqueOf, type Compiled, type Finding } from '../check.ts';
import { unsupported, wrong, type FieldError } from '../errors.ts';
import { pathText } from '../field-path.ts';
import type { JsonSchema } from '../schema.ts';
import type { CustomSchema } from './custom-schema.ts';
import { numberFormats, stringFormats } from './formats.ts';
import { compilePattern } from './patterns.ts';

const linear = Object.assign((pattern: string) => {
  const compiled = compilePattern(pattern);
  // Ajv tells expressions apart by their text.
  return { test: (text: string) => compiled.test(text), toString: () => pattern };
}, { code: 'linear' });

/** An instance for one part of a schema: it remembers what it compiles for ever, and schemas come and go. */
const ajvOf = (parts: readonly CustomSchema[]): Ajv => {
  const ajv = newAjv({
    allErrors: true, strict: false, meta: false, validateSchema: false, addUsedSchema: false, inlineRefs: false, logger: false, ownProperties: true,
    code: { optimize: false, regExp: linear },
  });
  addUniqueKeyword(ajv);
  const checkPart: SchemaValidateFunction = (part: number, data: unknown, _parent, place) => {
    const validator = validatorOf(parts[part]!);
    const isRight = validator(data, place);
    // Ajv writes its own schema path into them.
    checkPart.errors = telling(validator.errors);
    return isRight;
  };
  ajv.addKeyword({ keyword: 'bargePart', schemaType: 'number', errors: 'full', validate: checkPart });
  for (const [name, validate] of Object.entries(stringFormats)) ajv.addFormat(name, validate);
  for (const [name, validate] of Object.entries(numberFormats)) ajv.addFormat(name, { type: 'number', validate });
  return ajv;
};

const copied = [
  'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'multipleOf', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'required',
] as const satisfies readonly (keyof CustomSchema)[];

/** Whether a format is checked. */
export const isKnownFormat = (format: string): boolean => Object.hasOwn(stringFormats, format) || Object.hasOwn(numberFormats, format);

/** What limits the value as a whole beyond its own words. */
const junctions = (schema: CustomSchema): Compiled => {
  const out: Compiled = {};
  const isNumberOrString = schema['x-kubernetes-int-or-string'] === true;
  for (const word of ['allOf', 'anyOf', 'oneOf'] as const) {
    // That it is an integer or a string has been said already, better.
    const schemas = schema[word]?.filter((one) => !(isNumberOrString && saysIntOrString(one)));
    if (schemas !== undefined && schemas.length > 0 && !(isNumberOrString && word === 'anyOf' && saysIntOrString(schema))) out[word] = schemas.map((one) => convert(one));
  }
  if (schema.not !== undefined) out['not'] = convert(schema.not);
  return out;
};

const saysIntOrString = ({ anyOf }: CustomSchema): boolean => anyOf?.length === 2 && anyOf[0]?.type === 'integer' && anyOf[1]?.type === 'string';

/** Places up to which a schema is compiled within another. */
const partSize = 40;

const sizes = new WeakMap<CustomSchema, number>();

const sizeOf = (schema: CustomSchema): number => {
  let size = sizes.get(schema);
  if (size === undefined) {
    const within = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items]), ...(schema.additionalProperties === undefined ? [] : [schema.additionalProperties])];
    sizes.set(schema, size = within.reduce((sum, one) => sum + sizeOf(one), 1));
  }
  return size;
};

/** What stands for a place within a schema: its own form, or the number of its part. In alternatives, where errors mean something else, all is one. */
const within = (schema: CustomSchema, parts: CustomSchema[] | undefined): Compiled =>
  (parts === undefined || sizeOf(schema) <= partSize ? convert(schema, parts) : { bargePart: parts.push(schema) - 1 });

const convert = (schema: CustomSchema, parts?: CustomSchema[]): Compiled => {
  const out: Compiled = {};
  const types = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type === undefined ? [] : [schema.type];
  if (types.length > 0) out['type'] = schema.nullable === true ? [...types, 'null'] : types;
  for (const word of copied) if (schema[word] !== undefined) out[word] = schema[word];
  for (const [mark, bound] of [['exclusiveMinimum', 'minimum'], ['exclusiveMaximum', 'maximum']] as const) {
    if (schema[mark] !== true || schema[bound] === undefined) continue;
    out[mark] = schema[bound];
    delete out[bound];
  }
  if (schema.format !== undefined && isKnownFormat(schema.format)) out['format'] = schema.format;
  if (schema.properties !== undefined) out['properties'] = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, within(one, parts)]));
  if (schema.additionalProperties !== undefined) out['additionalProperties'] = within(schema.additionalProperties, parts);
  if (schema.items !== undefined) out['items'] = within(schema.items, parts);
  const unique = uniqueOf(schema);
  if (unique !== undefined) out['bargeUnique'] = unique;
  const more = junctions(schema);
  if (Object.keys(more).length === 0) return out;
  // A null that is allowed need not fit anything else.
  return schema.nullable === true ? { ...out, if: { type: 'null' }, else: more } : { ...out, ...more };
};

const compiled = new WeakMap<JsonSchema, ValidateFunction>();

const validatorOf = (schema: CustomSchema): ValidateFunction => {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    const parts: CustomSchema[] = [];
    validator = ajvOf(parts).compile(convert(schema, parts));
    compiled.set(schema, validator);
  }
  return validator;
};

/** The errors that say something for certain: which of several schemas a value misses, and how, does not. */
const telling = (errors: readonly ErrorObject[] | null | undefined): ErrorObject[] =>
  (errors ?? []).filter(({ keyword, schemaPath }) => keyword !== 'if' && !/\/(?:anyOf|oneOf)\/\d+\//.test(schemaPath));

const counted = (limit: unknown, word: string, plural: string): string => `${String(limit)} ${limit === 1 ? word : plural}`;

/** The words for what only custom schemas can say. */
const ownError = (root: CustomSchema, object: unknown, { keyword, instancePath, params }: ErrorObject): FieldError | undefined => {
  const { path, value } = placeOf(root, object, instancePath);
  const field = pathText(path);
  const { limit, multipleOf, comparison, allowedValues } = params as Record<string, unknown>;
  switch (keyword) {
    case 'enum': return unsupported(field, value, (allowedValues as readonly unknown[]).map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).toSorted());
    case 'minLength': return wrong(field, value, `must have at least ${counted(limit, 'character', 'characters')}`);
    case 'minItems': return wrong(field, value, `must have at least ${counted(limit, 'item', 'items')}`);
    case 'minProperties': return wrong(field, value, `must have at least ${counted(limit, 'property', 'properties')}`);
    case 'maxProperties': return { ...wrong(field, value, `must have at most ${counted(limit, 'property', 'properties')}`), reason: 'FieldValueTooMany' };
    case 'minimum': return wrong(field, value, `must be greater than or equal to ${String(limit)}`);
    case 'maximum': return wrong(field, value, `must be less than or equal to ${String(limit)}`);
    case 'exclusiveMinimum': case 'exclusiveMaximum': return wrong(field, value, `must be ${comparison === '>' ? 'greater' : 'less'} than ${String(limit)}`);
    case 'multipleOf': return wrong(field, value, `must be a multiple of ${String(multipleOf)}`);
    case 'anyOf': return wrong(field, value, 'must validate at least one schema (anyOf)');
    case 'oneOf': return wrong(field, value, 'must validate one and only one schema (oneOf)');
    case 'not': return wrong(field, value, 'must not validate the schema (not)');
    case 'format': return wrong(field, value, `must be of format ${String((params as { format?: unknown }).format)}`);
    default: return undefined;
  }
};

/** Every place where a custom object breaks its schema, in the order of the schema. */
export const customFindings = (schema: CustomSchema, object: unknown): readonly Finding[] => {
  const validator = validatorOf(schema);
  if (validator(object)) return [];
  return telling(validator.errors).map((error) => {
    const own = ownError(schema, object, error);
    return own === undefined ? findingOf(schema, object, error) : { error: own, pointer: error.instancePath };
  });
};
