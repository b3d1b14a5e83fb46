import { Compacted, type Change } from './storage.ts';

export interface ChangeLogOptions {
  /** The newest revision that is already done. */
  readonly revision: number;
  /** Changes kept at most; whole revisions are dropped, and the newest one always stays. */
  readonly limit: number;
  /** Characters of values kept at most of what the readers of the moment have taken; 1 million where absent. What they have not taken yet stays. */
  readonly characters?: number | undefined;
  /** Most changes in one batch for a reader (a single revision may have more). */
  readonly batch?: number | undefined;
}

/**
 * ChangeLog holds the latest changes of a store that has one writer, in memory, and feeds readers from any revision it
 * still holds. It is bounded, so a store that is written for ever does not grow by it.
 */
export class ChangeLog {
  readonly #limit: number;
  readonly #batch: number;
  readonly #maxCharacters: number;
  /** The changes of one revision each, oldest first. */
  #entries: (readonly Change[])[] = [];
  #size = 0;
  #characters = 0;
  /** The revision up to which each reader has taken the changes, and come back. */
  readonly #readers = new Set<{ taken: number }>();
  #compacted: number;
  #revision: number;
  #woken: (() => void)[] = [];
  #closed = false;
  #failure: Error | undefined;

  constructor({ revision, limit, characters = 2 ** 20, batch = 1_000 }: ChangeLogOptions) {
    this.#revision = revision;
    this.#compacted = revision;
    this.#limit = limit;
    this.#batch = batch;
    this.#maxCharacters = characters;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Adds the changes of revisions that are done, oldest first, and wakes the readers. */
  append(groups: readonly (readonly Change[])[]): void {
    for (const changes of groups) {
      this.#entries.push(changes);
      this.#size += changes.length;
      this.#characters += charactersOf(changes);
      this.#revision = changes[0]!.revision;
    }
    if (this.#size > this.#limit) this.#shrink();
    this.#wake();
  }

  /** Forgets the changes at or before a revision. */
  compact(upTo: number): void {
    const count = firstAfter(this.#entries, upTo);
    this.#drop(count);
    this.#compacted = Math.max(this.#compacted, Math.min(upTo, this.#revision));
    this.#wake();
  }

  /** Every change after a revision in order; throws Compacted when some are forgotten; ends when the signal aborts or the log closes. */
  async *read(after: number, signal: AbortSignal): AsyncGenerator<readonly Change[], void> {
    const reader = { taken: after };
    this.#readers.add(reader);
    let last = after;
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        reader.taken = last;
        this.#forgetTaken();
        if (this.#failure !== undefined) throw this.#failure;
        if (last < this.#compacted) throw new Compacted(this.#compacted);
        const batch: Change[] = [];
        for (let at = firstAfter(this.#entries, last); at < this.#entries.length && batch.length < this.#batch; at++) batch.push(...this.#entries[at]!);
        const newest = batch.at(-1);
        if (newest !== undefined) {
          last = newest.revision;
          yield batch;
        } else if (this.#closed) return;
        else await new Promise<void>((resolve) => this.#woken.push(resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#readers.delete(reader);
    }
  }

  /** Ends all readers, when they have read what is there. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Makes all readers throw. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  /** Drops an eighth at a time, so that a full log does not move its entries at every append. */
  #shrink(): void {
    let count = 0;
    let size = this.#size;
    while (size > this.#limit * 7 / 8 && count < this.#entries.length - 1) size -= this.#entries[count++]!.length;
    this.#drop(count);
  }

  /** Long values are kept only for readers that still need them: the state itself is held elsewhere. */
  #forgetTaken(): void {
    if (this.#characters <= this.#maxCharacters || this.#entries.length < 2) return;
    const taken = Math.min(...[...this.#readers].map((reader) => reader.taken));
    let count = 0;
    let characters = this.#characters;
    // Half of it at once, for the same reason.
    while (characters > this.#maxCharacters / 2 && count < this.#entries.length - 1 && this.#entries[count]![0]!.revision <= taken) characters -= charactersOf(this.#entries[count++]!);
    this.#drop(count);
  }

  #drop(count: number): void {
    if (count === 0) return;
    for (const changes of this.#entries.slice(0, count)) {
      this.#size -= changes.length;
      this.#characters -= charactersOf(changes);
    }
    this.#compacted = this.#entries[count - 1]![0]!.revision;
    this.#entries = this.#entries.slice(count);
  }

  #wake(): void {
    const woken = this.#woken;
    this.#woken = [];
    for (const resolve of woken) resolve();
  }
}

/** Index of the first entry after a revision. */
const firstAfter = (entries: readonly (readonly Change[])[], revision: number): number => {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]![0]!.revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
};

const charactersOf = (changes: readonly Change[]): number => {
  let sum = 0;
  for (const { value } of changes) sum += value.length;
  return sum;
};
