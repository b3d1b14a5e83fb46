import type { ApiObject } from '../schemas/kind.ts';
import { keyOf, keyText } from './key.ts';

/** Names the values under which an object stands in an index. Must be pure; an object for which it throws stands nowhere. */
export type IndexFunction<T> = (object: T) => readonly string[];

type Shelf<T> = Map<string, Map<string, T>>;

const put = <T>(shelf: Shelf<T>, value: string, key: string, object: T): void => {
  let place = shelf.get(value);
  if (place === undefined) shelf.set(value, place = new Map());
  place.set(key, object);
};

const take = <T>(shelf: Shelf<T>, value: string, key: string): void => {
  const place = shelf.get(value);
  if (place?.delete(key) === true && place.size === 0) shelf.delete(value);
};

/**
 * IndexedCache holds objects by key, by namespace and by any number of indexes. Objects are kept by reference. An index
 * is known by its function, so that two users who name different functions alike cannot meet.
 */
export class IndexedCache<T extends ApiObject> {
  readonly #objects = new Map<string, T>();
  readonly #namespaces: Shelf<T> = new Map();
  readonly #indexes = new Map<IndexFunction<T>, Shelf<T>>();
  readonly #failed: (error: unknown, object: T) => void;
  #all: readonly T[] | undefined;

  /** `failed` is told when an index function throws. */
  constructor(failed: (error: unknown, object: T) => void) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** By `namespace/name`, as keyText writes it. */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** All objects, or those of a namespace, in no promised order. The array is a snapshot. */
  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#namespaces.get(namespace)?.values() ?? [])];
    return this.#all ??= Object.freeze([...this.#objects.values()]);
  }

  by(index: IndexFunction<T>, value: string): readonly T[] {
    return [...(this.#indexes.get(index)?.get(value)?.values() ?? [])];
  }

  /** Adds an index and fills it; one that is there stays as it is. */
  addIndex(index: IndexFunction<T>): void {
    if (this.#indexes.has(index)) return;
    const shelf: Shelf<T> = new Map();
    for (const [key, object] of this.#objects) for (const value of this.#values(index, object)) put(shelf, value, key, object);
    this.#indexes.set(index, shelf);
  }

  /** Puts the object in place of the one with its key, which is returned. */
  set(object: T): T | undefined {
    const key = keyText(keyOf(object));
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    put(this.#namespaces, object.metadata.namespace ?? '', key, object);
    for (const [index, shelf] of this.#indexes) {
      if (old !== undefined) for (const value of this.#values(index, old)) take(shelf, value, key);
      for (const value of this.#values(index, object)) put(shelf, value, key, object);
    }
    this.#all = undefined;
    return old;
  }

  /** Takes the object with this key out and returns it. */
  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    take(this.#namespaces, old.metadata.namespace ?? '', key);
    for (const [index, shelf] of this.#indexes) for (const value of this.#values(index, old)) take(shelf, value, key);
    this.#all = undefined;
    return old;
  }

  #values(index: IndexFunction<T>, object: T): readonly string[] {
    try {
      return index(object);
    } catch (error) {
      this.#failed(error, object);
      return [];
    }
  }
}
