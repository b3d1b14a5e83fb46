/** What a bag needs of its things: a place that it alone writes; -1 while the thing is in no bag. */
export interface InBag {
  place: number;
}

/**
 * Bag holds things in no order; each goes in and comes out in constant time. A Set does the same and more, but each time
 * that it makes itself a new table, the old one goes on pointing to it and to all that was in it. Once one of them has
 * grown old, the whole chain outlives every young collection, and with it each request that has been in the set: a get left
 * 2 KB behind, and a young collection took 35 ms in place of 1.
 */
export class Bag<T extends InBag> {
  readonly #things: T[] = [];

  get size(): number {
    return this.#things.length;
  }

  add(thing: T): void {
    thing.place = this.#things.push(thing) - 1;
  }

  /** Does nothing for a thing that is not in it. */
  delete(thing: T): void {
    if (!this.has(thing)) return;
    const last = this.#things.pop()!;
    if (last !== thing) {
      this.#things[thing.place] = last;
      last.place = thing.place;
    }
    thing.place = -1;
  }

  has(thing: T): boolean {
    return thing.place >= 0 && this.#things[thing.place] === thing;
  }

  /** The things of this moment. */
  all(): readonly T[] {
    return [...this.#things];
  }
}
