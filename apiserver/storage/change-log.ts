import { Compacted, type Change } from './storage.ts';

export interface ChangeLogOptions {
  /** The newest revision that is already done. */
  readonly revision: number;
  /** Changes kept at most; whole revisions are dropped, and the newest one always stays. */
  readonly limit: number;
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
  /** The changes of one revision each, oldest first. */
  #entries: (readonly Change[])[] = [];
  #size = 0;
  #compacted: number;
  #revision: number;
  #woken: (() => void)[] = [];
  #closed = false;
  #failure: Error | undefined;

  constructor({ revision, limit, batch = 1_000 }: ChangeLogOptions) {
    this.#revision = revision;
    this.#compacted = revision;
    this.#limit = limit;
    this.#batch = batch;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Adds the changes of revisions that are done, oldest first, and wakes the readers. */
  append(groups: readonly (readonly Change[])[]): void {
    for (const changes of groups) {
      this.#entries.push(changes);
      this.#size += changes.length;
      this.#revision = changes[0]!.revision;
    }
    if (this.#size > this.#limit) this.#shrink();
    this.#wake();
  }

  /** Forgets the changes at or before a revision. */
  compact(upTo: number): void {
    const count = firstAfter(this.#entries, upTo);
    for (const changes of this.#entries.slice(0, count)) this.#size -= changes.length;
    this.#drop(count);
    this.#compacted = Math.max(this.#compacted, Math.min(upTo, this.#revision));
    this.#wake();
  }

  /** Every change after a revision in order; throws Compacted when some are forgotten; ends when the signal aborts or the log closes. */
  async *read(after: number, signal: AbortSignal): AsyncGenerator<readonly Change[], void> {
    let last = after;
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
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
    while (this.#size > this.#limit * 7 / 8 && count < this.#entries.length - 1) this.#size -= this.#entries[count++]!.length;
    this.#drop(count);
  }

  #drop(count: number): void {
    if (count === 0) return;
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
