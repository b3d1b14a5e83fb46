/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are maps (`x-kubernetes-patch-merge-key`)
 * or sets of primitives, and that may carry directives beside the data:
 *
 *   $patch: replace | delete | merge     for the object (or, in a list item, for the list or that item)
 *   $retainKeys: [...]                   members of the object that may stay; all others go
 *   $setElementOrder/<list>: [...]       order of the items of <list>; items it does not name keep their place
 *   $deleteFromPrimitiveList/<list>: []  values to take out of <list>
 *
 * Nothing is changed in place; what the patch does not touch is shared with the target.
 */
import { badRequest } from '../../schemas/errors.ts';
import type { JsonSchema } from '../../schemas/schema.ts';
import { isObject, type JsonObject } from './json.ts';
import { orderLike } from './element-order.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const setElementOrder = '$setElementOrder/';
const deleteFromPrimitiveList = '$deleteFromPrimitiveList/';

const anySchema: JsonSchema = {};

const schemaOf = (schema: JsonSchema, key: string): JsonSchema =>
  (schema.properties !== undefined && Object.hasOwn(schema.properties, key) ? schema.properties[key] : schema.additionalProperties) ?? anySchema;

const merges = (schema: JsonSchema): boolean => schema['x-kubernetes-patch-strategy']?.split(',').includes('merge') ?? false;
const replaces = (schema: JsonSchema): boolean => schema['x-kubernetes-patch-strategy'] === 'replace';

const listAt = (patch: JsonObject, key: string, path: string): readonly unknown[] => {
  const value = patch[key];
  if (!Array.isArray(value)) throw badRequest(`${key} at ${path || 'the top'} of the patch must be a list`);
  return value as readonly unknown[];
};

const at = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** The patched object. Throws BadRequest that names the place when a directive or a list item is malformed. */
export const strategicMerge = (schema: JsonSchema, target: JsonObject, patch: JsonObject): JsonObject => mergeObject(schema, target, patch, '');

const mergeObject = (schema: JsonSchema, target: JsonObject, patch: JsonObject, path: string): JsonObject => {
  const word = patch[directive];
  if (word === 'delete') return {};
  if (word === 'replace') return withoutDirectives(patch);
  if (word !== undefined && word !== 'merge') throw badRequest(`${directive} at ${path || 'the top'} of the patch is ${JSON.stringify(word)}; it must be replace, delete or merge`);

  const merged: Record<string, unknown> = retained(target, patch, path);
  for (const key of Object.keys(patch)) {
    if (key === directive || key === retainKeys) continue;
    if (key.startsWith(setElementOrder) || key.startsWith(deleteFromPrimitiveList)) {
      const field = key.slice(key.indexOf('/') + 1);
      if (field === '__proto__') throw badRequest(`${key} at ${path || 'the top'} of the patch is not allowed`);
      // A list that the patch also names is handled there, with all its directives at once.
      if (!Object.hasOwn(patch, field) && Array.isArray(ownMember(merged, field))) merged[field] = mergeList(schemaOf(schema, field), merged[field] as readonly unknown[], [], patch, field, path);
      continue;
    }
    const value = patch[key];
    if (value === null) delete merged[key];
    else merged[key] = mergeValue(schemaOf(schema, key), ownMember(merged, key), value, patch, key, path);
  }
  return merged;
};

const ownMember = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

const mergeValue = (schema: JsonSchema, old: unknown, value: unknown, patch: JsonObject, key: string, path: string): unknown => {
  if (isObject(value)) return mergeObject(schema, isObject(old) && !replaces(schema) ? old : {}, value, at(path, key));
  if (Array.isArray(value)) return mergeList(schema, Array.isArray(old) ? (old as readonly unknown[]) : [], value as readonly unknown[], patch, key, path);
  return value;
};

/** A copy of the target with only the members that `$retainKeys` of the patch lets stay. */
const retained = (target: JsonObject, patch: JsonObject, path: string): Record<string, unknown> => {
  if (!Object.hasOwn(patch, retainKeys)) return { ...target };
  const keys = listAt(patch, retainKeys, path);
  const stray = Object.keys(patch).find((key) => !key.startsWith('$') && patch[key] !== null && !keys.includes(key));
  if (stray !== undefined) throw badRequest(`${retainKeys} at ${path || 'the top'} of the patch must name ${JSON.stringify(stray)}, which the patch sets`);
  return Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key)));
};

const mergeList = (schema: JsonSchema, old: readonly unknown[], items: readonly unknown[], patch: JsonObject, key: string, path: string): readonly unknown[] => {
  const here = at(path, key);
  const order = Object.hasOwn(patch, setElementOrder + key) ? listAt(patch, setElementOrder + key, path) : undefined;
  const gone = Object.hasOwn(patch, deleteFromPrimitiveList + key) ? listAt(patch, deleteFromPrimitiveList + key, path) : [];
  const plain = items.filter((item) => !isObject(item) || item[directive] === undefined);
  if (items.some((item) => isObject(item) && item[directive] === 'replace')) return plain.map(withoutDirectives);

  const mergeKey = schema['x-kubernetes-patch-merge-key'];
  if (!merges(schema)) return gone.length > 0 || (items.length === 0 && !Object.hasOwn(patch, key)) ? old.filter((item) => !gone.includes(item)) : plain.map(withoutDirectives);
  if (mergeKey === undefined) {
    const union = [...new Set([...old, ...items])].filter((item) => !gone.includes(item));
    return order === undefined ? union : orderLike(union, old, order, items, (item) => item, here);
  }
  const merged = mergeByKey(schema.items ?? anySchema, old, items, mergeKey, here);
  if (order === undefined) return merged;
  return orderLike(merged, old, order, plain, (item) => (isObject(item) ? item[mergeKey] : undefined), here);
};

const mergeByKey = (schema: JsonSchema, old: readonly unknown[], items: readonly unknown[], mergeKey: string, path: string): readonly unknown[] => {
  let merged = [...old];
  const places = new Map<unknown, number>();
  const note = (item: unknown, place: number): void => {
    if (isObject(item) && !places.has(item[mergeKey])) places.set(item[mergeKey], place);
  };
  merged.forEach(note);
  const gone = new Set<unknown>();
  for (const [index, item] of items.entries()) {
    const where = `${path}[${index}]`;
    if (!isObject(item)) throw badRequest(`${where} of the patch must be an object with ${JSON.stringify(mergeKey)}`);
    const value = item[mergeKey];
    if (value === undefined || value === null || typeof value === 'object') throw badRequest(`${where} of the patch must have ${JSON.stringify(mergeKey)}, by which the items of this list are merged`);
    const word = item[directive];
    if (word === 'delete') {
      gone.add(value);
      continue;
    }
    if (word !== undefined && word !== 'merge') throw badRequest(`${directive} of ${where} is ${JSON.stringify(word)}; it must be replace, delete or merge`);
    const place = places.get(value);
    const before = place === undefined ? undefined : merged[place];
    const result = mergeObject(schema, isObject(before) ? before : {}, item, where);
    if (place === undefined) note(result, merged.push(result) - 1);
    else merged[place] = result;
  }
  if (gone.size > 0) merged = merged.filter((item) => !isObject(item) || !gone.has(item[mergeKey]));
  return merged;
};

/** The data of a patch without its directives: what a member becomes that the target does not have. */
const withoutDirectives = <T>(value: T): T => {
  if (Array.isArray(value)) return value.map(withoutDirectives) as T;
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isDirective(key)).map(([key, member]) => [key, withoutDirectives(member)])) as T;
};

const isDirective = (key: string): boolean =>
  key === directive || key === retainKeys || key.startsWith(setElementOrder) || key.startsWith(deleteFromPrimitiveList);
