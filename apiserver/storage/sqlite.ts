/**
 * SqliteStorage keeps a cluster in one file. It is the only writer of that file, so the order of writes is known here,
 * and the changes that `changes` gives out come from memory: the file holds the live rows and one revision counter, and
 * an update overwrites. Nothing accumulates, and nothing has to be cleaned up.
 *
 * Cost: one fsync for all transactions of a turn; about 20 microseconds of the event loop for each. What was rejected
 * (a log table, WITHOUT ROWID, a writer thread) is in docs/design/storage.md.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Log } from '../../base/log.ts';
import { ChangeLog } from './change-log.ts';
import { Checkpointer } from './checkpointer.ts';
import { lockFile } from './file-lock.ts';
import { GroupCommit, type Outcome } from './group-commit.ts';
import { openDatabase, type Connect } from './sqlite-file.ts';
import { CheckFailed, type Change, type Row, type Storage, type Transaction } from './storage.ts';

export interface SqliteOptions {
  /** Path of the database; `-wal`, `-shm` and `.lock` stand beside it. */
  readonly file: string;
  readonly log: Log;
  /** Changes kept in memory for readers of `changes`; 4,096 where absent. */
  readonly changesKept?: number | undefined;
  /** Size at which the write-ahead log is copied into the file; 4 MB where absent. */
  readonly walBytes?: number | undefined;
  /** Makes a connection; better-sqlite3's own where absent. */
  readonly connect?: Connect | undefined;
}

interface Found {
  readonly id: number;
  readonly revision: number;
}

const batchRows = 500;
/** Groups, and characters of values, between two looks at the WAL's size (a look takes a few microseconds). */
const lookEvery = { groups: 16, characters: 2 ** 20 };

export class SqliteStorage implements Storage {
  readonly #options: SqliteOptions;
  readonly #connect: Connect;
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #unlock: () => void;
  readonly #changes: ChangeLog;
  readonly #group: GroupCommit;
  readonly #checkpointer: Checkpointer;
  readonly #failing = new AbortController();
  readonly #pageBytes: number;
  #revision: number;
  #unseen = { groups: 0, characters: 0 };
  #closed: Promise<void> | undefined;

  private constructor(options: SqliteOptions, database: Database.Database, unlock: () => void) {
    this.#options = options;
    this.#connect = options.connect ?? ((file, settings) => new Database(file, settings));
    this.#database = database;
    this.#unlock = unlock;
    this.#statements = prepareStatements(database);
    this.#revision = (this.#statements.revision.get() as { readonly revision: number }).revision;
    this.#pageBytes = database.pragma('page_size', { simple: true }) as number;
    this.#changes = new ChangeLog({ revision: this.#revision, limit: options.changesKept ?? 4_096 });
    this.#group = new GroupCommit({ write: (group) => this.#write(group), maxTransactions: 512, maxCharacters: 4 * 2 ** 20 });
    this.#checkpointer = new Checkpointer({
      file: options.file, log: options.log, walBytes: options.walBytes ?? 4 * 2 ** 20,
      pending: () => this.#walBytes(),
      pauseDuring: (work) => this.#group.pauseDuring(async () => {
        await work();
        this.#giveBackPages();
      }),
    });
  }

  /**
   * Opens the file or makes it. Throws when another process has it, when it is not barge's or of a newer barge, and when
   * it is damaged (looked for after every end that was not a `close`).
   */
  static async open(options: SqliteOptions): Promise<SqliteStorage> {
    const connect = options.connect ?? ((file, settings) => new Database(file, settings));
    await mkdir(dirname(options.file), { recursive: true, mode: 0o700 });
    const unlock = lockFile(`${options.file}.lock`);
    try {
      return new SqliteStorage(options, openDatabase(options.file, connect), unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  get failed(): AbortSignal {
    return this.#failing.signal;
  }

  /** Reads through a connection of its own, in a snapshot, so that commits go on meanwhile. */
  async *load(): AsyncGenerator<readonly Row[], number> {
    this.#assertUsable();
    const reader = this.#connect(this.#options.file, { readonly: true, timeout: 10_000 });
    try {
      reader.exec('BEGIN');
      const { revision } = reader.prepare('SELECT revision FROM state').get() as { readonly revision: number };
      let batch: Row[] = [];
      for (const row of reader.prepare('SELECT key, revision, value FROM rows ORDER BY id').iterate()) {
        batch.push(row as Row);
        if (batch.length === batchRows) {
          yield batch;
          batch = [];
        }
      }
      if (batch.length > 0) yield batch;
      return revision;
    } finally {
      reader.close();
    }
  }

  async commit(transaction: Transaction): Promise<number> {
    this.#assertUsable();
    return this.#group.add(transaction);
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
      if (!this.#failing.signal.aborted) {
        this.#database.exec('UPDATE state SET clean = 1');
        this.#database.pragma('wal_checkpoint(TRUNCATE)');
      }
    } finally {
      this.#database.close();
      this.#unlock();
    }
  }

  #assertUsable(): void {
    if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
    if (this.#closed !== undefined) throw new Error(`${this.#options.file} is closed`);
  }

  /** One SQL transaction for the group. A failed check refuses its own transaction before any of its writes. */
  #write(group: readonly Transaction[]): readonly Outcome[] {
    this.#assertNotFailed();
    const { begin, commit, setRevision } = this.#statements;
    const outcomes: Outcome[] = [];
    const done: (readonly Change[])[] = [];
    let revision = this.#revision;
    try {
      begin.run();
      for (const transaction of group) {
        const refused = this.#refusal(transaction);
        if (refused !== undefined) {
          outcomes.push({ refused });
          continue;
        }
        const changes = transaction.writes.flatMap((write) => this.#apply(write, revision + 1));
        if (changes.length > 0) {
          revision++;
          done.push(changes);
        }
        outcomes.push({ revision });
      }
      setRevision.run(revision);
      commit.run();
    } catch (error) {
      throw this.#fail(error);
    }
    this.#revision = revision;
    if (done.length > 0) this.#changes.append(done);
    this.#lookAtWal(done);
    return outcomes;
  }

  #lookAtWal(done: readonly (readonly Change[])[]): void {
    this.#unseen.groups++;
    for (const changes of done) for (const { value } of changes) this.#unseen.characters += value.length;
    if (this.#unseen.groups < lookEvery.groups && this.#unseen.characters < lookEvery.characters) return;
    this.#unseen = { groups: 0, characters: 0 };
    this.#checkpointer.look();
  }

  #refusal({ checks }: Transaction): CheckFailed | undefined {
    for (const { key, revision } of checks) {
      const actual = (this.#statements.find.get(key) as Found | undefined)?.revision ?? 0;
      if (actual !== revision) return new CheckFailed(key, actual);
    }
    return undefined;
  }

  #apply({ key, value, object }: Transaction['writes'][number], revision: number): readonly Change[] {
    const { find, findValue, insert, update, remove } = this.#statements;
    if (value === undefined) {
      const found = findValue.get(key) as (Found & { readonly value: string }) | undefined;
      if (found === undefined) return [];
      remove.run(found.id);
      return [{ key, revision, type: 'delete', value: found.value, previousRevision: found.revision }];
    }
    const found = find.get(key) as Found | undefined;
    if (found === undefined) insert.run(key, revision, value);
    else update.run(revision, value, found.id);
    return [{ key, revision, type: 'put', value, object, previousRevision: found?.revision ?? 0 }];
  }

  /** Takes the group back and makes the store refuse everything from now on: what the disk holds is no longer known. */
  #fail(cause: unknown): Error {
    try {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
    } catch {
      // The reason that counts is the first one.
    }
    const error = new Error(`cannot write ${this.#options.file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.#changes.fail(error);
    this.#failing.abort(error);
    return error;
  }

  #assertNotFailed(): void {
    if (this.#failing.signal.aborted) throw this.#failing.signal.reason;
  }

  #walBytes(): number {
    const [row] = this.#database.pragma('wal_checkpoint(NOOP)') as { readonly log: number; readonly checkpointed: number }[];
    // A WAL that is wholly copied is written from its beginning by the next commit.
    return row === undefined || row.log === row.checkpointed ? 0 : row.log * this.#pageBytes;
  }

  /** Returns pages to the file system, a few at a time, once more than a quarter of the file is unused. */
  #giveBackPages(): void {
    const free = this.#database.pragma('freelist_count', { simple: true }) as number;
    const pages = this.#database.pragma('page_count', { simple: true }) as number;
    if (free > 1_024 && free * 4 > pages) this.#database.pragma('incremental_vacuum(256)');
  }
}

const prepareStatements = (database: Database.Database) => ({
  begin: database.prepare('BEGIN IMMEDIATE'),
  commit: database.prepare('COMMIT'),
  revision: database.prepare('SELECT revision FROM state'),
  setRevision: database.prepare('UPDATE state SET revision = ?'),
  find: database.prepare('SELECT id, revision FROM rows WHERE key = ?'),
  findValue: database.prepare('SELECT id, revision, value FROM rows WHERE key = ?'),
  insert: database.prepare('INSERT INTO rows (key, revision, value) VALUES (?, ?, ?)'),
  update: database.prepare('UPDATE rows SET revision = ?, value = ? WHERE id = ?'),
  remove: database.prepare('DELETE FROM rows WHERE id = ?'),
});
