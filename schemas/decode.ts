/**
 * Decoding turns a body from outside into an object that the rest of the code can trust in shape: every member has the
 * type that the schema says, nothing unknown is left, and it is a private copy. What is missing or out of range is not
 * its matter (see check.ts). A wrong type ends it with 400, an unknown field is only collected: the request says what
 * unknown fields cost.
 */
import { badRequest, type ApiError } from './errors.ts';
import { item, mapKey, member, pathText, type FieldPath } from './field-path.ts';
import { canonical } from './formats.ts';
import type { Draft } from './frozen.ts';
import type { JsonSchema, Schema } from './schema.ts';

/** How deep lists and objects may nest in a body. Kubernetes' own types need about 25 levels, JSON schemas of custom kinds about 60. */
export const maxDepth = 100;

/** What decoding needs to know of a body: a Kind, or one of the bodies that are never stored. */
export interface BodyKind<Body> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: Schema<Body>;
}

export interface Decoded<Body> {
  /** A private copy: no nulls, no unknown fields, quantities and times in canonical form; kind, apiVersion and metadata come first. */
  readonly object: Draft<Body>;
  /** Paths of the fields that the kind does not have, in the order of the body. */
  readonly unknown: readonly string[];
}

/** One walk over a body. */
export interface Walk {
  readonly unknown: string[];
  readonly refuse: (message: string) => ApiError;
}

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

const typeWanted = (schema: JsonSchema): string => {
  if (schema['x-kubernetes-int-or-string']) return 'int32 or string';
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeWanted(schema.items)}`;
  if (schema.type === 'object') return schema.additionalProperties === undefined ? 'object' : `map of ${typeWanted(schema.additionalProperties)}`;
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'integer') return schema.format ?? 'int64';
  return schema.format === 'quantity' ? 'quantity' : schema.type ?? 'value';
};

const limitsOf = (format: string | undefined): readonly [number, number] =>
  format === 'int32' || format === 'int-or-string' ? [-(2 ** 31), 2 ** 31 - 1] : [-(2 ** 63), 2 ** 63];

const wrongType = (walk: Walk, schema: JsonSchema, value: unknown, path: FieldPath | undefined): ApiError => {
  const found = typeof value === 'number' && (schema.type === 'integer' || schema['x-kubernetes-int-or-string']) ? `number ${value}` : typeOf(value);
  const at = path === undefined ? 'the body' : `field ${pathText(path)}`;
  return walk.refuse(`json: cannot unmarshal ${found} into ${at} of type ${typeWanted(schema)}`);
};

/** The members of an object, or of a list's level. Throws on too deep nesting and a member called `__proto__`. */
export const members = (walk: Walk, value: object, path: FieldPath | undefined, depth: number): string[] => {
  if (depth > maxDepth) throw walk.refuse(`the body is nested more than ${maxDepth} levels deep`);
  const keys = Object.keys(value);
  if (keys.includes('__proto__')) throw walk.refuse(`field ${JSON.stringify(pathText(member(path, '__proto__')))} is not allowed`);
  return keys;
};

/** A copy of any JSON value, under the same limits. */
export const free = (walk: Walk, value: unknown, path: FieldPath | undefined, depth: number): unknown => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) {
    members(walk, [], path, depth);
    return value.map((one, index) => free(walk, one, item(path, index), depth + 1));
  }
  if (typeof value !== 'object') throw walk.refuse(`field ${pathText(path)} is not a JSON value`);
  const out: Record<string, unknown> = {};
  for (const key of members(walk, value, path, depth)) {
    const one = (value as Record<string, unknown>)[key];
    if (one !== undefined) out[key] = free(walk, one, member(path, key), depth + 1);
  }
  return out;
};

const scalar = (walk: Walk, schema: JsonSchema, value: unknown, path: FieldPath | undefined): unknown => {
  const integer = schema.type === 'integer' || schema['x-kubernetes-int-or-string'] === true;
  if (typeof value === 'number' && integer) {
    const [low, high] = limitsOf(schema.format);
    if (!Number.isInteger(value) || value < low || value > high) throw wrongType(walk, schema, value, path);
    return value;
  }
  if (typeof value === 'number' && schema.format === 'quantity' && Number.isFinite(value)) return canonical(schema.format, String(value));
  if (typeof value === 'string' && (schema.type === 'string' || schema['x-kubernetes-int-or-string'] === true)) return canonical(schema.format, value);
  if (typeof value === 'boolean' && schema.type === 'boolean') return value;
  if (typeof value === 'number' && schema.type === 'number') return value;
  throw wrongType(walk, schema, value, path);
};

const firstMembers = ['kind', 'apiVersion', 'metadata'];

/** An empty map of Kubernetes' own types counts as none, unless it must be there. Empty lists stay: some mean something. */
const isLeftOut = (schema: JsonSchema, key: string, known: JsonSchema, value: unknown): boolean =>
  known.additionalProperties !== undefined && schema['x-barge-type'] !== undefined
  && Object.keys(value as object).length === 0 && schema.required?.includes(key) !== true;

const struct = (walk: Walk, schema: JsonSchema, value: unknown, path: FieldPath | undefined, depth: number): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(walk, schema, value, path);
  const body = value as Record<string, unknown>;
  const { properties, additionalProperties: values } = schema;
  const out: Record<string, unknown> = {};
  let keys = members(walk, body, path, depth);
  if (path === undefined) keys = [...firstMembers.filter((key) => keys.includes(key)), ...keys.filter((key) => !firstMembers.includes(key))];
  for (const key of keys) {
    const one = body[key];
    const known = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (one === '' && known?.enum !== undefined && !known.enum.includes('')) continue;
    if (one === undefined || (one === null && (known !== undefined || values?.type !== 'string' || values.format !== undefined))) {
      if (known === undefined && values === undefined && one === null && !schema['x-kubernetes-preserve-unknown-fields']) walk.unknown.push(pathText(member(path, key)));
      continue;
    }
    if (known !== undefined) {
      const value = decoded(walk, known, one, member(path, key), depth + 1);
      if (!isLeftOut(schema, key, known, value)) out[key] = value;
    } else if (values !== undefined) out[key] = one === null ? '' : decoded(walk, values, one, mapKey(path, key), depth + 1);
    else if (schema['x-kubernetes-preserve-unknown-fields']) out[key] = free(walk, one, member(path, key), depth + 1);
    else walk.unknown.push(pathText(member(path, key)));
  }
  return out;
};

const jsonType = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

const eitherOf = (schemas: readonly [JsonSchema, JsonSchema], value: unknown): JsonSchema => (schemas[1].type === jsonType(value) ? schemas[1] : schemas[0]);

/** The value as the schema shapes it. */
export const decoded = (walk: Walk, schema: JsonSchema, value: unknown, path: FieldPath | undefined, depth: number): unknown => {
  switch (schema.type) {
    case 'object':
      return struct(walk, schema, value, path, depth);
    case 'array': {
      if (!Array.isArray(value)) throw wrongType(walk, schema, value, path);
      members(walk, [], path, depth);
      const items = schema.items ?? {};
      return value.map((one: unknown, index) => decoded(walk, items, one, item(path, index), depth + 1));
    }
    case undefined:
      if (schema['x-barge-either'] !== undefined) return decoded(walk, eitherOf(schema['x-barge-either'], value), value, path, depth);
      return schema['x-kubernetes-int-or-string'] ? scalar(walk, schema, value, path) : free(walk, value, path, depth);
    default:
      return scalar(walk, schema, value, path);
  }
};

/** The 400 for a body that is no object of its kind. */
export const cannotBeHandled = (kind: { readonly version: string; readonly kind: string }, why: string): ApiError =>
  badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${why}`);

/**
 * Decodes a body as an object of the kind. Nulls count as absent (in a map of strings as the empty string), so does an
 * empty string where one of a list of words is wanted, and an empty map that need not be there; numbers are taken for
 * quantities. Throws BadRequest that names the field when a member has the wrong type, a number does not fit
 * its integer, the nesting passes `maxDepth` or a member is called `__proto__`.
 */
export const decode = <Body>(kind: BodyKind<Body>, body: unknown): Decoded<Body> => {
  const unknown: string[] = [];
  const walk: Walk = { unknown, refuse: (why) => cannotBeHandled(kind, why) };
  const object = struct(walk, { ...kind.schema, type: 'object' }, body, undefined, 1) as Draft<Body>;
  return { object, unknown };
};

/** The value without the fields that the schema does not have. Wrong types end in BadRequest, as in `decode`. */
export const prune = (schema: JsonSchema, value: unknown): unknown =>
  decoded({ unknown: [], refuse: badRequest }, schema, value, undefined, 1);

/**
 * A private copy of a body whose shape is not a kind's, such as a patch: nulls stay, members are as they came. Throws
 * BadRequest on too deep nesting, `__proto__` and what is not JSON. `what` names the body in the message.
 */
export const decodeFree = (what: string, body: unknown): unknown =>
  free({ unknown: [], refuse: (why) => badRequest(`${what}: ${why}`) }, body, undefined, 1);

/** The 400 for unknown (or doubled) fields under fieldValidation=Strict. */
export const strictDecodingError = (kind: { readonly version: string; readonly kind: string }, complaints: readonly string[]): ApiError =>
  cannotBeHandled(kind, `strict decoding error: ${complaints.join(', ')}`);

/** `unknown field "spec.bogus"`: one part of a strict decoding error, or a warning. */
export const unknownField = (path: string): string => `unknown field ${JSON.stringify(path)}`;
