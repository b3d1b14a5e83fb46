/**
 * A store that keeps everything in this process: for tests and for clusters that may be forgotten. It is the reference
 * for what a Storage means; there is nothing to wait for, so a write is done when `commit` returns its promise.
 */
import { ChangeLog } from './change-log.ts';
import { CheckFailed, type Change, type Row, type Storage, type Transaction, type Write } from './storage.ts';

export interface MemoryStorageOptions {
  /** Changes kept for readers of `changes`; 65,536 where absent, for here a burst of writes ends before any reader has its turn. */
  readonly changesKept?: number | undefined;
}

interface Stored {
  readonly revision: number;
  readonly write: Write & { readonly value: string };
}

const batchRows = 500;

export class MemoryStorage implements Storage {
  readonly #rows = new Map<string, Stored>();
  readonly #changes: ChangeLog;
  readonly #failing = new AbortController();
  #closed = false;

  constructor({ changesKept = 65_536 }: MemoryStorageOptions = {}) {
    this.#changes = new ChangeLog({ revision: 0, limit: changesKept });
  }

  get failed(): AbortSignal {
    return this.#failing.signal;
  }

  /** Makes the store refuse everything from now on, as a broken disk does. */
  fail(reason: Error): void {
    this.#failing.abort(reason);
    this.#changes.fail(reason);
  }

  async *load(): AsyncGenerator<readonly Row[], number> {
    const { revision } = this.#changes;
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
    const revision = this.#changes.revision + 1;
    const changes = writes.flatMap((write) => this.#apply(write, revision));
    if (changes.length === 0) return this.#changes.revision;
    this.#changes.append([changes]);
    return revision;
  }

  changes(after: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#changes.read(after, signal);
  }

  async compact(upTo: number): Promise<void> {
    this.#assertUsable();
    this.#changes.compact(upTo);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#changes.close();
  }

  #assertUsable(): void {
    if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
    if (this.#closed) throw new Error('the store is closed');
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
}
