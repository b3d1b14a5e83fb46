import type { ApiObject } from '../../schemas/kind.ts';

interface Chunk {
  readonly keys: string[];
  readonly objects: ApiObject[];
}

/** A chunk is split in two when it grows beyond this; a set or delete moves at most so many slots. */
const chunkLimit = 512;

/**
 * Objects in the order of their keys, kept in order as they come and go: a sorted array cut into chunks, so that a
 * change moves a few hundred slots whatever the size, and a list is a copy without a sort.
 */
export class OrderedObjects {
  #chunks: Chunk[] = [];
  #size = 0;
  /** The list of everything, until the next change. */
  #all: readonly ApiObject[] | undefined;

  get size(): number {
    return this.#size;
  }

  set(key: string, object: ApiObject): void {
    this.#all = undefined;
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) {
      this.#chunks.push({ keys: [key], objects: [object] });
      this.#size++;
      return;
    }
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] === key) {
      chunk.objects[at] = object;
      return;
    }
    chunk.keys.splice(at, 0, key);
    chunk.objects.splice(at, 0, object);
    this.#size++;
    if (chunk.keys.length > chunkLimit) this.#split(chunk);
  }

  delete(key: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] !== key) return;
    this.#all = undefined;
    chunk.keys.splice(at, 1);
    chunk.objects.splice(at, 1);
    this.#size--;
    const next = this.#chunks[index + 1];
    if (chunk.keys.length === 0) this.#chunks.splice(index, 1);
    else if (next !== undefined && chunk.keys.length + next.keys.length < chunkLimit / 2) {
      chunk.keys.push(...next.keys);
      chunk.objects.push(...next.objects);
      this.#chunks.splice(index + 1, 1);
    }
  }

  /** All objects by key. The same array until the next change. */
  list(): readonly ApiObject[] {
    return this.#all ??= Object.freeze(this.#chunks.flatMap((chunk) => chunk.objects));
  }

  /** Keys and objects whose key starts with the prefix, by key. */
  * entries(prefix: string): Generator<readonly [key: string, object: ApiObject]> {
    for (let index = this.#chunkOf(prefix); index < this.#chunks.length; index++) {
      const { keys, objects } = this.#chunks[index]!;
      for (let at = lowerBound(keys, prefix); at < keys.length; at++) {
        if (!keys[at]!.startsWith(prefix)) return;
        yield [keys[at]!, objects[at]!];
      }
    }
  }

  /** Objects whose key starts with the prefix, by key. */
  under(prefix: string): readonly ApiObject[] {
    const found: ApiObject[] = [];
    for (let index = this.#chunkOf(prefix); index < this.#chunks.length; index++) {
      const { keys, objects } = this.#chunks[index]!;
      for (let at = lowerBound(keys, prefix); at < keys.length; at++) {
        if (!keys[at]!.startsWith(prefix)) return found;
        found.push(objects[at]!);
      }
    }
    return found;
  }

  /** Index of the chunk where the key is or belongs: the last one that starts at or before it. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.keys[0]! <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #split(chunk: Chunk): void {
    // Keys often come in order (a load, generated names with a counter): then the left part stays full.
    const last = this.#chunks.at(-1) === chunk;
    const at = last ? chunkLimit - chunkLimit / 8 : chunkLimit / 2;
    const right = { keys: chunk.keys.splice(at), objects: chunk.objects.splice(at) };
    this.#chunks.splice(this.#chunks.indexOf(chunk) + 1, 0, right);
  }
}

/** Index of the first key that is not below the wanted one. */
const lowerBound = (keys: readonly string[], wanted: string): number => {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
};
