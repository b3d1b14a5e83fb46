/**
 * A store that keeps everything in this process: for tests and for clusters that may be forgotten. It is the reference
 * for what a Storage means; there is nothing to wait for, so a write is done when `commit` returns its promise.
 */
import { CheckFailed, Compacted, type Change, type Row, type Storage, type Transaction, type Write } from './storage.ts';

interface Stored {
  readonly revision: number;
  readonly write: Write & { readonly value: string };
}

const batchRows = 500;

export class MemoryStorage implements Storage {
  readonly #rows = new Map<string, Stored>();
  /** One entry a revision, oldest first; all of them after #compacted. */
  #history: (readonly Change[])[] = [];
  #revision = 0;
  #compacted = 0;
  readonly #closing = new AbortController();
  readonly #failing = new AbortController();
  #woken: (() => void)[] = [];

  get failed(): AbortSignal {
    return this.#failing.signal;
  }

  /** Makes the store refuse everything from now on, as a broken disk does. */
  fail(reason: Error): void {
    this.#failing.abort(reason);
    this.#wake();
  }

  async *load(): AsyncGenerator<readonly Row[], number> {
    const revision = this.#revision;
    const rows: Row[] = [...this.#rows].map(([key, { revision, write }]) => ({ key, revision, value: write.value }));
    for (let from = 0; from < rows.length; from += batchRows) yield rows.slice(from, from + batchRows);
    return revision;
  }

  async commit({ checks, writes }: Transaction): Promise<number> {
    this.#assertUsable();
    for (const { key, revision } of checks) {
      const actual = this.#rows.get(key)?.revision ?? 0;
      if (actual !== revision) throw new CheckFailed(key, actual);
    }
    const revision = this.#revision + 1;
    const changes = writes.flatMap((write) => this.#apply(write, revision));
    if (changes.length === 0) return this.#revision;
    this.#revision = revision;
    this.#history.push(changes);
    this.#wake();
    return revision;
  }

  async *changes(after: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    let next = after + 1;
    const done = (): boolean => signal.aborted || this.#closing.signal.aborted;
    const woken = (): void => this.#wake();
    signal.addEventListener('abort', woken, { once: true });
    try {
      while (!done()) {
        if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
        if (next <= this.#compacted) throw new Compacted(this.#compacted);
        if (next <= this.#revision) {
          const batch = this.#history.slice(next - this.#compacted - 1).flat();
          next = this.#revision + 1;
          yield batch;
        } else {
          await new Promise<void>((resolve) => this.#woken.push(resolve));
        }
      }
    } finally {
      signal.removeEventListener('abort', woken);
    }
  }

  async compact(upTo: number): Promise<void> {
    this.#assertUsable();
    const target = Math.min(upTo, this.#revision);
    if (target <= this.#compacted) return;
    this.#history = this.#history.slice(target - this.#compacted);
    this.#compacted = target;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
  }

  #assertUsable(): void {
    if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
    if (this.#closing.signal.aborted) throw new Error('the store is closed');
  }

  #apply(write: Write, revision: number): readonly Change[] {
    const before = this.#rows.get(write.key);
    const previousRevision = before?.revision ?? 0;
    if (write.value === undefined) {
      if (before === undefined) return [];
      this.#rows.delete(write.key);
      return [{ key: write.key, revision, type: 'delete', value: before.write.value, object: before.write.object, previousRevision }];
    }
    this.#rows.set(write.key, { revision, write: { key: write.key, value: write.value, object: write.object } });
    return [{ key: write.key, revision, type: 'put', value: write.value, object: write.object, previousRevision }];
  }

  #wake(): void {
    const woken = this.#woken;
    this.#woken = [];
    for (const resolve of woken) resolve();
  }
}
