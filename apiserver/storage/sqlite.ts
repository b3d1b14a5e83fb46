/**
 * SqliteStorage keeps a cluster in one file. It is the only writer of that file, so the order of writes is known here: what
 * stands under each key is in memory, transactions are decided against it at once, and made durable in groups, by a thread
 * when there is much to write (adaptive-writer.ts). The changes that `changes` gives out come from memory too: the file holds the live rows and
 * one revision counter, and an update overwrites. Nothing accumulates, and nothing has to be cleaned up.
 *
 * Cost: one fsync for all transactions that came while the last group was written; a few microseconds of the event loop for
 * each transaction, and about 100 bytes for each row. It replaced a store that did all of it on the event loop, where SQLite
 * and the disk took a third of a write. What was rejected is in docs/design/storage.md.
 */
import { channel } from 'node:diagnostics_channel';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Log } from '../../base/log.ts';
import { AdaptiveWriter } from './adaptive-writer.ts';
import { ChangeLog } from './change-log.ts';
import { Checkpointer } from './checkpointer.ts';
import { lockFile } from './file-lock.ts';
import { GroupCommit, type Grouped } from './group-commit.ts';
import { prepareFile } from './sqlite-file.ts';
import type { WriteAnswer } from './sqlite-writer.ts';
import { CheckFailed, type Change, type Row, type Storage, type Transaction, type Write } from './storage.ts';

export interface SqliteOptions {
  /** Path of the database; `-wal`, `-shm` and `.lock` stand beside it. */
  readonly file: string;
  readonly log: Log;
  /** Changes kept in memory for readers of `changes`; 4,096 where absent. */
  readonly changesKept?: number | undefined;
  /** Size at which the write-ahead log is copied into the file; 4 MB where absent. */
  readonly walBytes?: number | undefined;
  /** Pages that the file may have; beyond, writes fail as on a full disk. */
  readonly maxPages?: number | undefined;
  /** A clock that does not go back, in milliseconds; the process's own where absent. */
  readonly nowMs?: (() => number) | undefined;
}

/** A transaction that was decided and is not durable yet. */
interface Decided extends Grouped {
  readonly writes: readonly Write[];
  readonly revision: number;
  /** The revisions that its keys stood at before it. */
  readonly previous: readonly number[];
}

const batchRows = 500;

/** Says the newest revision each time that a group has become durable, to whoever measures. */
const committed = channel('barge:commit');

export class SqliteStorage implements Storage {
  readonly #options: SqliteOptions;
  readonly #unlock: () => void;
  readonly #changes: ChangeLog;
  readonly #group: GroupCommit<Decided>;
  readonly #writer: AdaptiveWriter;
  readonly #checkpointer: Checkpointer;
  readonly #failing = new AbortController();
  /** The revision of each row as it will be when all that was decided is durable. Read with the first load or write. */
  #rows: Map<string, number> | undefined;
  #revision: number;
  #walBytes = 0;
  #closed: Promise<void> | undefined;

  private constructor(options: SqliteOptions, revision: number, unlock: () => void) {
    this.#options = options;
    this.#unlock = unlock;
    this.#revision = revision;
    this.#changes = new ChangeLog({ revision, limit: options.changesKept ?? 4_096 });
    this.#group = new GroupCommit({ write: (group) => this.#write(group), maxTransactions: 512, maxCharacters: 4 * 2 ** 20 });
    this.#writer = new AdaptiveWriter({ file: options.file, maxPages: options.maxPages }, options.nowMs ?? (() => performance.now()));
    this.#checkpointer = new Checkpointer({
      file: options.file, log: options.log, walBytes: options.walBytes ?? 4 * 2 ** 20,
      pending: () => this.#walBytes,
      pauseDuring: (work) => this.#group.pauseDuring(async () => {
        await work();
        this.#walBytes = (await this.#writer.tidy()).walBytes;
      }),
    });
  }

  /**
   * Opens the file or makes it. Throws when another process has it, when it is not barge's or of a newer barge, and when
   * it is damaged (looked for after every end that was not a `close`).
   */
  static async open(options: SqliteOptions): Promise<SqliteStorage> {
    await mkdir(dirname(options.file), { recursive: true, mode: 0o700 });
    const unlock = lockFile(`${options.file}.lock`);
    try {
      return new SqliteStorage(options, prepareFile(options.file), unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** True when there was so much to write that a thread does it. */
  get threaded(): boolean {
    return this.#writer.threaded;
  }

  get failed(): AbortSignal {
    return this.#failing.signal;
  }

  /** Reads through a connection of its own, in a snapshot, so that commits go on meanwhile. */
  async *load(): AsyncGenerator<readonly Row[], number> {
    this.#assertUsable();
    await this.#group.drained();
    const reader = this.#reader();
    const rows = new Map<string, number>();
    try {
      reader.exec('BEGIN');
      const { revision } = reader.prepare('SELECT revision FROM state').get() as { readonly revision: number };
      let batch: Row[] = [];
      for (const row of reader.prepare('SELECT key, revision, value FROM rows ORDER BY id').iterate() as IterableIterator<Row>) {
        rows.set(row.key, row.revision);
        batch.push(row);
        if (batch.length === batchRows) {
          yield batch;
          batch = [];
        }
      }
      if (batch.length > 0) yield batch;
      this.#rows ??= rows;
      return revision;
    } finally {
      reader.close();
    }
  }

  /** Decided at once, against all that was decided before; resolves when it is durable. */
  async commit(transaction: Transaction): Promise<number> {
    this.#assertUsable();
    const rows = this.#rows ??= this.#readRows();
    for (const { key, revision } of transaction.checks) {
      const actual = rows.get(key) ?? 0;
      if (actual !== revision) throw new CheckFailed(key, actual);
    }
    const next = this.#revision + 1;
    const writes: Write[] = [];
    const previous: number[] = [];
    let characters = 0;
    for (const write of transaction.writes) {
      const before = rows.get(write.key) ?? 0;
      // A delete of what is not there changes nothing, and a transaction that changes nothing takes no revision.
      if (write.value === undefined && before === 0) continue;
      if (write.value === undefined) rows.delete(write.key);
      else rows.set(write.key, next);
      writes.push(write);
      previous.push(before);
      characters += write.value?.length ?? 0;
    }
    if (writes.length > 0) this.#revision = next;
    const revision = this.#revision;
    return new Promise((resolve, reject) => this.#group.add({ writes, revision, previous, characters, done: () => resolve(revision), failed: reject }));
  }

  changes(after: number, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#changes.read(after, signal);
  }

  async compact(upTo: number): Promise<void> {
    this.#assertUsable();
    this.#changes.compact(upTo);
  }

  /** Finishes what was committed, copies the WAL into the file and gives back the lock. A second call waits for the first. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#group.drained();
    await this.#checkpointer.close();
    this.#changes.close();
    try {
      if (!this.#failing.signal.aborted) await this.#writer.finish();
    } finally {
      await this.#writer.close();
      this.#unlock();
    }
  }

  #assertUsable(): void {
    if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
    if (this.#closed !== undefined) throw new Error(`${this.#options.file} is closed`);
  }

  #reader(): Database.Database {
    return new Database(this.#options.file, { readonly: true, timeout: 10_000 });
  }

  /** For a writer that has not loaded anything. */
  #readRows(): Map<string, number> {
    const reader = this.#reader();
    try {
      const rows = reader.prepare('SELECT key, revision FROM rows').raw().iterate() as IterableIterator<[string, number]>;
      return new Map(rows);
    } finally {
      reader.close();
    }
  }

  /** Makes a group durable and tells what it changed. */
  async #write(group: readonly Decided[]): Promise<void> {
    if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
    const keys: string[] = [];
    const revisions: number[] = [];
    const values: (string | undefined)[] = [];
    for (const { writes, revision } of group) {
      for (const { key, value } of writes) {
        keys.push(key);
        revisions.push(revision);
        values.push(value);
      }
    }
    if (keys.length === 0) return;
    let answer: WriteAnswer;
    try {
      answer = await this.#writer.write({ keys, revisions, values, revision: group.at(-1)!.revision });
    } catch (error) {
      throw this.#fail(error);
    }
    if (committed.hasSubscribers) committed.publish(group.at(-1)!.revision);
    this.#walBytes = answer.walBytes;
    const deleted = answer.deleted.values();
    this.#changes.append(group.filter(({ writes }) => writes.length > 0).map(({ writes, revision, previous }) => writes.map(({ key, value, object }, index): Change => (value === undefined
      ? { key, revision, type: 'delete', value: deleted.next().value ?? '', previousRevision: previous[index]! }
      : { key, revision, type: 'put', value, object, previousRevision: previous[index]! }))));
    this.#checkpointer.look();
  }

  /** Makes the store refuse everything from now on: what the disk holds is no longer known. */
  #fail(cause: unknown): Error {
    const error = new Error(`cannot write ${this.#options.file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.#changes.fail(error);
    this.#failing.abort(error);
    return error;
  }
}
