/**
 * Decoding of custom objects. They are taken as they are: a wrong type is for the check to refuse, with all other wrong
 * fields, and null is a value. Only what the schema does not name goes (it is pruned) unless the schema says that it stays.
 */
import { cannotBeHandled, decoded, free, members, type BodyKind, type Decoded, type Walk } from '../decode.ts';
import { item, mapKey, member, pathText, type FieldPath } from '../field-path.ts';
import type { Draft } from '../frozen.ts';
import { ObjectMeta } from '../types/object-meta.ts';
import type { CustomSchema } from './custom-schema.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

const embedded = new Set(['apiVersion', 'kind']);

const pruned = (walk: Walk, schema: CustomSchema, value: unknown, path: FieldPath | undefined, depth: number): unknown => {
  if (Array.isArray(value)) {
    members(walk, [], path, depth);
    return value.map((one: unknown, index) => pruned(walk, schema.items ?? {}, one, item(path, index), depth + 1));
  }
  return isObject(value) ? prunedObject(walk, schema, value, path, depth) : free(walk, value, path, depth);
};

const prunedObject = (walk: Walk, schema: CustomSchema, value: Readonly<Record<string, unknown>>, path: FieldPath | undefined, depth: number): unknown => {
  const { properties, additionalProperties: values } = schema;
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const out: Record<string, unknown> = {};
  for (const key of members(walk, value, path, depth)) {
    const one = value[key];
    if (one === undefined) continue;
    const known = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (isEmbedded && key === 'metadata' && isObject(one)) out[key] = embeddedMetadata(walk, one, member(path, key), depth + 1);
    else if (isEmbedded && embedded.has(key)) out[key] = free(walk, one, member(path, key), depth + 1);
    else if (known !== undefined) out[key] = pruned(walk, known, one, member(path, key), depth + 1);
    else if (values !== undefined) out[key] = pruned(walk, values, one, mapKey(path, key), depth + 1);
    else if (keeps) out[key] = free(walk, one, member(path, key), depth + 1);
    else walk.unknown.push(pathText(member(path, key)));
  }
  return out;
};

/** The metadata of an embedded object has the fields of all metadata. What has a wrong type stays as it is, for the check to refuse. */
const embeddedMetadata = (walk: Walk, value: unknown, path: FieldPath, depth: number): unknown => {
  const own: Walk = { unknown: [], refuse: walk.refuse };
  try {
    const metadata = decoded(own, ObjectMeta, value, path, depth);
    walk.unknown.push(...own.unknown);
    return metadata;
  } catch {
    return free(walk, value, path, depth);
  }
};

const ofTheObject = new Set(['kind', 'apiVersion', 'metadata']);

/**
 * Decodes a body as an object of a custom kind: a private copy without unknown fields, whose metadata is decoded as that
 * of any kind. Throws BadRequest where the body is no object, its metadata has wrong types, the nesting passes `maxDepth` or
 * a member is called `__proto__`.
 */
export const decodeCustom = <Body>(kind: BodyKind<Body>, body: unknown): Decoded<Body> => {
  const unknown: string[] = [];
  const walk: Walk = { unknown, refuse: (why) => cannotBeHandled(kind, why) };
  if (!isObject(body)) throw walk.refuse(`json: cannot unmarshal ${Array.isArray(body) ? 'array' : typeof body} into the body of type object`);
  const { properties = {} } = kind.schema;
  const head: Record<string, unknown> = {};
  for (const name of ofTheObject) {
    if (body[name] !== undefined && body[name] !== null) head[name] = decoded(walk, properties[name] ?? {}, body[name], member(undefined, name), 2);
  }
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => !ofTheObject.has(name)));
  // An own member called __proto__ does not survive fromEntries as such, so it is looked for in the body.
  members(walk, body, undefined, 1);
  const object = { ...head, ...prunedObject(walk, kind.schema, rest, undefined, 1) as object };
  return { object: object as Draft<Body>, unknown };
};

/** The value without what the schema does not name. The schema is not that of a whole object. */
export const pruneCustom = (schema: CustomSchema, value: unknown): { readonly value: unknown; readonly unknown: readonly string[] } => {
  const unknown: string[] = [];
  return { value: pruned({ unknown, refuse: (why) => cannotBeHandled({ version: '', kind: 'value' }, why) }, schema, value, undefined, 1), unknown };
};
