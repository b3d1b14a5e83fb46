import type { ObjectChange } from './object-change.ts';

export interface HistoryLimits {
  /** Changes kept at most. */
  readonly count: number;
  /** Characters of the states that only the history still holds. */
  readonly characters: number;
  /** Changes older than this are dropped when the next one comes. */
  readonly ageMs: number;
}

/** Dropped changes that may wait to be cut off: each cut copies the references to all that stay. */
const cutAfter = 512;

/**
 * WatchHistory remembers the last changes of one collection, for watches that start in the past and for exact lists of
 * the past. Each collection has its own, so that busy leases do not push out the history of quiet deployments.
 */
export class WatchHistory {
  readonly #limits: HistoryLimits;
  #changes: ObjectChange[] = [];
  /** Index of the oldest change that still counts; those before it are cut off in blocks. */
  #start = 0;
  #floor: number;
  #characters = 0;

  constructor(floor: number, limits: HistoryLimits) {
    this.#floor = floor;
    this.#limits = limits;
  }

  /** Every change of the collection after this revision is here. */
  get floor(): number {
    return this.#floor;
  }

  /** Characters of the states before the changes that count. */
  get characters(): number {
    return this.#characters;
  }

  get size(): number {
    return this.#changes.length - this.#start;
  }

  /** Changes in memory: beside those that count, a few that wait to be cut off. */
  get held(): number {
    return this.#changes.length;
  }

  /** Starts anew: nothing is known of changes at or before the floor. */
  reset(floor: number): void {
    this.#changes = [];
    this.#start = 0;
    this.#characters = 0;
    this.#floor = floor;
  }

  append(change: ObjectChange): void {
    this.#changes.push(change);
    this.#characters += change.characters;
    const oldestMs = change.atMs - this.#limits.ageMs;
    // A revision is dropped wholly or not at all: what is at or before the floor is gone.
    while (this.size > this.#limits.count || this.#characters > this.#limits.characters || this.#changes[this.#start]!.atMs < oldestMs || this.#changes[this.#start]!.revision <= this.#floor) {
      this.#floor = this.#changes[this.#start]!.revision;
      this.#characters -= this.#changes[this.#start]!.characters;
      if (++this.#start === this.#changes.length) break;
    }
    // What is cut off still holds its objects: a small part of the history at most.
    if (this.#start >= cutAfter || (this.#start > 64 && this.#start * 2 > this.#changes.length)) {
      this.#changes = this.#changes.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Changes after a revision that is not below the floor, oldest first. */
  after(revision: number): readonly ObjectChange[] {
    let low = this.#start;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#changes[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#changes.slice(low);
  }
}
