/**
 * Client-side apply: the patch that brings an object to what the manifest says and leaves alone what others set. Three
 * states go in: what was applied last, what is to be applied now, and what the server has. What is new or different is
 * set; what was applied last and is gone from the manifest is removed; everything else stays. With a schema, lists are
 * merged by their keys and the patch is a strategic one; without, lists are replaced and it is a JSON merge patch.
 */
import { deepEqual } from '../schemas/frozen.ts';
import type { OpenApi, SchemaNode } from './openapi.ts';

type Json = Readonly<Record<string, unknown>>;
type Patch = Record<string, unknown>;

export interface ThreeWayInput {
  readonly original: Json | undefined;
  readonly modified: Json;
  readonly current: Json;
  /** Absent: no lists are merged. */
  readonly schema?: { readonly root: SchemaNode; readonly openApi: OpenApi } | undefined;
}

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

class Differ {
  readonly #openApi: OpenApi | undefined;

  constructor(openApi: OpenApi | undefined) {
    this.#openApi = openApi;
  }

  /** The patch of a map; empty when nothing is to be done. */
  map(original: Json, modified: Json, current: Json, schema: SchemaNode | undefined): Patch {
    const patch: Patch = {};
    for (const key of Object.keys(modified)) {
      const wanted = modified[key];
      const has = current[key];
      if (wanted === undefined) continue;
      if (wanted === null) {
        if (has !== undefined && has !== null) patch[key] = null;
      } else if (has === undefined || has === null) {
        patch[key] = wanted;
      } else if (!deepEqual(wanted, has) || !deepEqual(original[key], wanted)) {
        this.#member(patch, key, { original: original[key], wanted, has, schema: this.#field(schema, key) });
      }
    }
    for (const key of Object.keys(original)) {
      if (modified[key] === undefined && current[key] !== undefined) patch[key] = null;
    }
    return patch;
  }

  #member(patch: Patch, key: string, { original, wanted, has, schema }: { readonly original: unknown; readonly wanted: unknown; readonly has: unknown; readonly schema: SchemaNode | undefined }): void {
    const strategy = schema?.['x-kubernetes-patch-strategy'] ?? '';
    if (isMap(wanted) && isMap(has)) {
      const sub = this.map(isMap(original) ? original : {}, wanted, has, schema);
      if (Object.keys(sub).length > 0) patch[key] = strategy.includes('retainKeys') ? { ...sub, $retainKeys: Object.keys(wanted).sort() } : sub;
    } else if (Array.isArray(wanted) && Array.isArray(has) && strategy.includes('merge')) {
      const mergeKey = schema?.['x-kubernetes-patch-merge-key'];
      const before: readonly unknown[] = Array.isArray(original) ? original : [];
      if (mergeKey === undefined) this.#setList(patch, key, { before, wanted, has });
      else this.#keyedList(patch, key, { before, wanted, has, mergeKey, schema: schema!, retainKeys: strategy.includes('retainKeys') });
    } else if (!deepEqual(wanted, has)) {
      patch[key] = wanted;
    }
  }

  /** Lists of words, such as finalizers. */
  #setList(patch: Patch, key: string, { before, wanted, has }: { readonly before: readonly unknown[]; readonly wanted: readonly unknown[]; readonly has: readonly unknown[] }): void {
    const added = wanted.filter((item) => !has.includes(item));
    const removed = before.filter((item) => !wanted.includes(item) && has.includes(item));
    if (added.length > 0) patch[key] = added;
    if (removed.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = removed;
    if (added.length + removed.length > 0) patch[`$setElementOrder/${key}`] = wanted;
  }

  #keyedList(patch: Patch, key: string, list: {
    readonly before: readonly unknown[]; readonly wanted: readonly unknown[]; readonly has: readonly unknown[];
    readonly mergeKey: string; readonly schema: SchemaNode; readonly retainKeys: boolean;
  }): void {
    const { mergeKey } = list;
    const items = list.schema.items === undefined ? undefined : this.#openApi?.resolve(list.schema.items);
    const before = list.before.filter(isMap);
    const wanted = list.wanted.filter(isMap);
    const has = list.has.filter(isMap);
    if (repeats(wanted, mergeKey) || repeats(has, mergeKey) || wanted.some((item) => item[mergeKey] === undefined)) {
      this.#ambiguousList(patch, key, { before, wanted, has, keys: list.schema['x-kubernetes-list-map-keys'] ?? [mergeKey], items });
      return;
    }
    const changes: Patch[] = [];
    for (const item of wanted) {
      const same = has.find((other) => other[mergeKey] === item[mergeKey]);
      if (same === undefined) {
        changes.push({ ...item });
        continue;
      }
      const sub = this.map(before.find((other) => other[mergeKey] === item[mergeKey]) ?? {}, item, same, items);
      if (Object.keys(sub).length > 0) changes.push({ [mergeKey]: item[mergeKey], ...sub, ...(list.retainKeys ? { $retainKeys: Object.keys(item).sort() } : {}) });
    }
    for (const item of before) {
      const name = item[mergeKey];
      if (!wanted.some((other) => other[mergeKey] === name) && has.some((other) => other[mergeKey] === name)) changes.push({ $patch: 'delete', [mergeKey]: name });
    }
    const orderHere = has.map((item) => item[mergeKey]).filter((name) => wanted.some((item) => item[mergeKey] === name));
    const orderWanted = wanted.map((item) => item[mergeKey]).filter((name) => orderHere.includes(name));
    if (changes.length > 0) patch[key] = changes;
    if (changes.length > 0 || !deepEqual(orderHere, orderWanted)) patch[`$setElementOrder/${key}`] = wanted.map((item) => ({ [mergeKey]: item[mergeKey] }));
  }

  /**
   * A list in which the merge key stands twice: port 53 for TCP and for UDP. A strategic patch cannot name one of the two,
   * so the list is replaced as a whole; items are paired by all their keys and keep what the server had set in them.
   */
  #ambiguousList(patch: Patch, key: string, { before, wanted, has, keys, items }: {
    readonly before: readonly Json[]; readonly wanted: readonly Json[]; readonly has: readonly Json[]; readonly keys: readonly string[]; readonly items: SchemaNode | undefined;
  }): void {
    const same = (a: Json, b: Json): boolean => keys.every((name) => a[name] === undefined || b[name] === undefined || a[name] === b[name]);
    const paired = wanted.map((item) => ({ item, here: has.find((other) => same(item, other)) }));
    const unchanged = wanted.length === has.length && paired.every(({ item, here }) =>
      here !== undefined && Object.keys(this.map(before.find((other) => same(item, other)) ?? {}, item, here, items)).length === 0);
    if (unchanged) return;
    patch[key] = [{ $patch: 'replace' }, ...paired.map(({ item, here }) => ({ ...here, ...item }))];
  }

  #field(schema: SchemaNode | undefined, key: string): SchemaNode | undefined {
    if (schema === undefined || this.#openApi === undefined) return undefined;
    const member = schema.properties?.[key] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    return member === undefined ? undefined : this.#openApi.resolve(member);
  }
}

const repeats = (items: readonly Json[], key: string): boolean => new Set(items.map((item) => item[key])).size !== items.length;

/** The patch, or undefined when there is nothing to do. */
export const threeWayPatch = ({ original, modified, current, schema }: ThreeWayInput): Json | undefined => {
  const patch = new Differ(schema?.openApi).map(original ?? {}, modified, current, schema === undefined ? undefined : schema.openApi.resolve(schema.root));
  return Object.keys(patch).length === 0 ? undefined : patch;
};
