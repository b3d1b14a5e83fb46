/**
 * Checks of an object against the schema of its kind, by ajv. Schemas are turned into ajv's form when a kind is first
 * checked: each named type becomes a schema of its own that others refer to, so that a pod template is compiled once
 * for all kinds that hold one, and a kind that nobody writes costs nothing at start-up.
 */
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import { newAjv } from './ajv.ts';
import { duplicate, required, tooLong, tooMany, unsupported, wrong, type FieldError } from './errors.ts';
import { item, mapKey, member, pathText, type FieldPath } from './field-path.ts';
import { formats } from './formats.ts';
import type { JsonSchema } from './schema.ts';

interface Unique {
  readonly keys: readonly string[] | undefined;
}

interface Repeated {
  readonly index: number;
  /** The one key that is repeated, where the list has just one. */
  readonly key: string | undefined;
  readonly value: unknown;
}

/** The items that say again what an earlier one has said. */
const repeats = (items: readonly unknown[], keys: readonly string[] | undefined): readonly Repeated[] => {
  const seen = new Set<string>();
  const found: Repeated[] = [];
  for (const [index, one] of items.entries()) {
    const values: unknown = keys === undefined ? one : Object.fromEntries(keys.map((key) => [key, (one as Record<string, unknown> | null)?.[key]]));
    const text = JSON.stringify(values) ?? '';
    if (seen.has(text)) {
      const key = keys?.length === 1 ? keys[0] : undefined;
      found.push({ index, key, value: key === undefined ? values : (values as Record<string, unknown>)[key] });
    }
    seen.add(text);
  }
  return found;
};

interface Checker {
  (unique: Unique, items: readonly unknown[]): boolean;
  errors?: Partial<ErrorObject>[];
}

const checkUnique: Checker = (unique, items) => {
  const found = repeats(items, unique.keys);
  checkUnique.errors = found.map((repeated) => ({ keyword: 'bargeUnique', params: { repeated } }));
  return found.length === 0;
};

/** Teaches an instance of ajv the keyword for lists in which no item may stand twice. */
export function addUniqueKeyword(instance: Ajv): void {
  instance.addKeyword({ keyword: 'bargeUnique', type: 'array', schemaType: 'object', errors: true, validate: checkUnique });
}

/** Code that is short and not improved is compiled in two thirds of the time and runs as fast. */
const ajvOptions = { allErrors: true, strict: false, meta: false, validateSchema: false, addUsedSchema: false, inlineRefs: false, logger: false, code: { optimize: false } } as const;

let only: Ajv | undefined;

/** The instance for all kinds, made at the first check. */
const ajv = (): Ajv => {
  if (only === undefined) {
    only = newAjv(ajvOptions);
    addUniqueKeyword(only);
    for (const [name, format] of Object.entries(formats)) {
      if (format.type === 'number') only.addFormat(name, { type: 'number', validate: format.accepts as (value: number) => boolean });
      else only.addFormat(name, format.accepts as (text: string) => boolean);
    }
  }
  return only;
};

/** A schema in ajv's form. */
export type Compiled = Record<string, unknown>;

const named = new Map<string, JsonSchema['properties']>();

const copied = ['type', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'required'] as const;

/** By what the items of a list must differ, or undefined. */
export const uniqueOf = (schema: JsonSchema): Unique | undefined => {
  if (schema['x-barge-duplicates'] === 'allowed') return undefined;
  if (schema['x-kubernetes-list-type'] === 'set') return { keys: undefined };
  const keys = schema['x-kubernetes-list-map-keys'];
  return schema['x-kubernetes-list-type'] === 'map' && keys !== undefined ? { keys } : undefined;
};

const convert = (schema: JsonSchema): Compiled => {
  const either = schema['x-barge-either'];
  if (either !== undefined) return { allOf: [{ if: { type: either[1].type }, else: refer(either[0]) }, { if: { type: either[0].type }, else: refer(either[1]) }] };
  const out: Compiled = {};
  for (const word of copied) if (schema[word] !== undefined) out[word] = schema[word];
  if (schema.format !== undefined && Object.hasOwn(formats, schema.format)) out['format'] = schema.format;
  if (schema['x-kubernetes-int-or-string']) out['type'] = ['integer', 'string'];
  if (schema.properties !== undefined) out['properties'] = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, refer(one)]));
  if (schema.additionalProperties !== undefined) out['additionalProperties'] = refer(schema.additionalProperties);
  if (schema.items !== undefined) out['items'] = refer(schema.items);
  const unique = uniqueOf(schema);
  if (unique !== undefined) out['bargeUnique'] = unique;
  return out;
};

/** A reference to a named type, which is added when it is first met; any other schema in ajv's form. */
const refer = (schema: JsonSchema): Compiled => {
  const name = schema['x-barge-type'];
  if (name === undefined || schema.properties === undefined) return convert(schema);
  const known = named.get(name);
  if (known === undefined) {
    named.set(name, schema.properties);
    ajv().addSchema(convert(schema), name);
  } else if (known !== schema.properties) {
    throw new Error(`two types are called ${name}`);
  }
  return { $ref: name };
};

const compiled = new WeakMap<JsonSchema, ValidateFunction>();

const validatorOf = (schema: JsonSchema, formOf = convert): ValidateFunction => {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    const form = formOf(schema);
    validator = ajv().compile(form);
    ajv().removeSchema(form);
    compiled.set(schema, validator);
  }
  return validator;
};

const unescape = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

/** Where something is wrong. */
export interface Place {
  readonly path: FieldPath | undefined;
  readonly schema: JsonSchema | undefined;
  readonly value: unknown;
}

/** The place that a JSON pointer of ajv means: its path, and the schema and the value that stand there. */
export const placeOf = (schema: JsonSchema, object: unknown, pointer: string): Place => {
  let path: FieldPath | undefined;
  let at: JsonSchema | undefined = schema;
  let value = object;
  for (const step of pointer.split('/').slice(1).map(unescape)) {
    const either: readonly [JsonSchema, JsonSchema] | undefined = at?.['x-barge-either'];
    if (either !== undefined) at = Array.isArray(value) === (either[0].type === 'array') ? either[0] : either[1];
    if (at?.type === 'array') {
      path = item(path, Number(step));
      at = at.items;
    } else if (at?.properties !== undefined && Object.hasOwn(at.properties, step)) {
      path = member(path, step);
      at = at.properties[step];
    } else {
      path = at?.additionalProperties === undefined ? member(path, step) : mapKey(path, step);
      at = at?.additionalProperties;
    }
    value = (value as Record<string, unknown>)[step];
  }
  return { path, schema: at, value };
};

const rangeMessage = (schema: JsonSchema | undefined, keyword: string): string => {
  const { minimum, maximum } = schema ?? {};
  if (minimum !== undefined && maximum !== undefined && maximum < 2 ** 31 - 1) return `must be between ${minimum} and ${maximum}, inclusive`;
  return keyword === 'minimum' ? `must be greater than or equal to ${minimum}` : `must be less than or equal to ${maximum}`;
};

/** A wrong field, and the schema of a member that is missing altogether. */
export interface Finding {
  readonly error: FieldError;
  /** Where the value stands that breaks the schema, as a JSON pointer. */
  readonly pointer: string;
  readonly missing?: { readonly pointer: string; readonly schema: JsonSchema };
  /** True when the value does not even have the type that the schema says. */
  readonly type?: true;
}

/** What an error of ajv says about an object. */
export const findingOf = (root: JsonSchema, object: unknown, error: ErrorObject): Finding => {
  const pointer = error.instancePath;
  const { path, schema, value } = placeOf(root, object, pointer);
  const field = pathText(path);
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required': {
      const name = String(params['missingProperty']);
      return { pointer, error: required(pathText(member(path, name))), missing: { pointer: `${pointer}/${name}`, schema: schema?.properties?.[name] ?? {} } };
    }
    case 'enum':
      return { pointer, error: value === '' ? required(field) : unsupported(field, value, (params['allowedValues'] as readonly unknown[]).map(String).toSorted()) };
    case 'minimum': case 'maximum':
      return { pointer, error: wrong(field, value, rangeMessage(schema, error.keyword)) };
    case 'minLength': case 'minItems':
      return { pointer, error: params['limit'] === 1 ? required(field) : wrong(field, value, `must have at least ${String(params['limit'])} ${error.keyword === 'minItems' ? 'items' : 'characters'}`) };
    case 'maxLength':
      return { pointer, error: tooLong(field, Number(params['limit']), 'characters') };
    case 'maxItems':
      return { pointer, error: tooMany(field, (value as readonly unknown[]).length, Number(params['limit'])) };
    case 'pattern':
      return { pointer, error: wrong(field, value, `must match ${String(params['pattern'])}`) };
    case 'format':
      return { pointer, error: wrong(field, value, formats[String(params['format'])]?.message ?? 'has the wrong format') };
    case 'bargeUnique': {
      const repeated = params['repeated'] as Repeated;
      const at = item(path, repeated.index);
      return { pointer, error: duplicate(pathText(repeated.key === undefined ? at : member(at, repeated.key)), repeated.value) };
    }
    default: {
      const wanted = schema?.['x-kubernetes-int-or-string'] ? 'integer or string' : schema?.type ?? 'other';
      return { pointer, error: { ...wrong(field, value, `must be of type ${wanted}`), reason: 'FieldValueTypeInvalid' }, type: true };
    }
  }
};

/** What a schema may say of an object for it to be right when its members are right one by one. */
const memberWords = new Set(['type', 'properties', 'required']);
const byMembers = new WeakMap<JsonSchema, boolean>();

const isByMembers = (schema: JsonSchema): boolean => {
  let known = byMembers.get(schema);
  if (known === undefined) byMembers.set(schema, known = schema.type === 'object' && Object.keys(convert(schema)).every((word) => memberWords.has(word)));
  return known;
};

/** Frozen values, by the schema that they were found to fit. They cannot change, and objects of one template share them. */
const fitting = new WeakMap<object, JsonSchema>();

const fits = (schema: JsonSchema, value: unknown): boolean => {
  const frozen = typeof value === 'object' && value !== null && Object.isFrozen(value);
  if (frozen && fitting.get(value) === schema) return true;
  if (!validatorOf(schema, refer)(value)) return false;
  if (frozen) fitting.set(value, schema);
  return true;
};

/** True when each member of the object fits, and none is missing. False says nothing. */
const fitsByMembers = (schema: JsonSchema, object: unknown): boolean => {
  if (typeof object !== 'object' || object === null || Array.isArray(object) || !isByMembers(schema)) return false;
  const { properties = {}, required: needed = [] } = schema;
  const members = object as Record<string, unknown>;
  return needed.every((name) => members[name] !== undefined)
    && Object.keys(members).every((name) => members[name] === undefined || !Object.hasOwn(properties, name) || fits(properties[name]!, members[name]));
};

/** Every place where the object breaks its schema, in the order of the schema. */
export const findings = (schema: JsonSchema, object: unknown): readonly Finding[] => {
  if (fitsByMembers(schema, object)) return [];
  const validator = validatorOf(schema);
  if (validator(object)) return [];
  return (validator.errors ?? []).filter((error) => error.keyword !== 'if').map((error) => findingOf(schema, object, error));
};

/**
 * Every field that the schema of the kind refuses: missing, of the wrong type, not one of the allowed words, out of
 * range, badly formatted, or there twice. The first check of a kind compiles its schema.
 */
export const check = (kind: { readonly schema: JsonSchema }, object: unknown): readonly FieldError[] =>
  findings(kind.schema, object).map((finding) => finding.error);
