import type { ApiObject } from '../../schemas/kind.ts';
import type { ObjectChange } from './object-change.ts';
import { OrderedObjects } from './ordered-objects.ts';
import type { FieldReader } from './watch-fanout.ts';
import { WatchHistory, type HistoryLimits } from './watch-history.ts';

interface FieldIndex {
  readonly read: FieldReader;
  readonly values: Map<string, OrderedObjects>;
}

const none: readonly ApiObject[] = Object.freeze([]);

/** The objects of one kind: by key, in order, by selectable field, and what lately happened to them. */
export class Collection {
  readonly #objects = new Map<string, ApiObject>();
  readonly #ordered = new OrderedObjects();
  /** An index is built when its field is first asked for, and kept from then on. */
  readonly #indexes = new Map<string, FieldIndex>();
  readonly history: WatchHistory;

  constructor(floor: number, limits: HistoryLimits) {
    this.history = new WatchHistory(floor, limits);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): ApiObject | undefined {
    return this.#objects.get(key);
  }

  put(key: string, object: ApiObject): void {
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#ordered.set(key, object);
    for (const index of this.#indexes.values()) {
      const value = index.read(object);
      if (before !== undefined) {
        const old = index.read(before);
        if (old !== value) unindex(index, old, key);
      }
      indexed(index, value).set(key, object);
    }
  }

  delete(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    this.#ordered.delete(key);
    for (const index of this.#indexes.values()) unindex(index, index.read(before), key);
  }

  /** Objects under a prefix by key: the whole collection, a namespace (both end in a slash), or one key. */
  list(prefix: string, whole: boolean): readonly ApiObject[] {
    if (whole) return this.#ordered.list();
    if (prefix.endsWith('/')) return this.#ordered.under(prefix);
    const object = this.#objects.get(prefix);
    return object === undefined ? none : [object];
  }

  /**
   * The list as it stood at a revision between the history's floor and now: the list of now, with what happened since
   * taken back.
   */
  listAt(prefix: string, revision: number, whole: boolean): readonly ApiObject[] {
    const then = new Map<string, ApiObject | undefined>();
    const within = (key: string): boolean => (prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix);
    for (const change of this.history.after(revision)) {
      if (within(change.key) && !then.has(change.key)) then.set(change.key, change.before);
    }
    if (then.size === 0) return this.list(prefix, whole);
    const old = [...then].filter((entry): entry is [string, ApiObject] => entry[1] !== undefined).sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const out: ApiObject[] = [];
    let next = 0;
    for (const [key, object] of this.#ordered.entries(prefix)) {
      if (!within(key)) continue;
      while (next < old.length && old[next]![0] < key) out.push(old[next++]![1]);
      if (!then.has(key)) out.push(object);
    }
    while (next < old.length) out.push(old[next++]![1]);
    return out;
  }

  byField(path: string, value: string, read: FieldReader): readonly ApiObject[] {
    let index = this.#indexes.get(path);
    if (index === undefined) {
      index = { read, values: new Map() };
      for (const [key, object] of this.#ordered.entries('')) indexed(index, read(object)).set(key, object);
      this.#indexes.set(path, index);
    }
    return index.values.get(value)?.list() ?? none;
  }

  /** Writes a change into the state and the history. */
  apply(change: ObjectChange): void {
    if (change.after === undefined) this.delete(change.key);
    else this.put(change.key, change.after);
    this.history.append(change);
  }
}

const indexed = (index: FieldIndex, value: string): OrderedObjects => {
  let objects = index.values.get(value);
  if (objects === undefined) index.values.set(value, objects = new OrderedObjects());
  return objects;
};

const unindex = (index: FieldIndex, value: string, key: string): void => {
  const objects = index.values.get(value);
  objects?.delete(key);
  if (objects?.size === 0) index.values.delete(value);
};
