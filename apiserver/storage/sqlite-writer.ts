import type Database from 'better-sqlite3';
import { openForWriting } from './sqlite-file.ts';

/** Puts and deletes in order; a delete's value is undefined. */
export interface WriteGroup {
  readonly keys: readonly string[];
  readonly revisions: readonly number[];
  readonly values: readonly (string | undefined)[];
  /** The one that the file stands at then. */
  readonly revision: number;
}

export interface WriteAnswer {
  /** The last values of the rows that were deleted, in order. */
  readonly deleted: readonly string[];
  /** Bytes of the write-ahead log that are not in the file yet, as far as was looked. */
  readonly walBytes: number;
}

export interface WriterOptions {
  readonly file: string;
  /** Pages that the file may have at most. */
  readonly maxPages: number | undefined;
}

/** Groups, and characters of values, between two looks at the WAL's size (a look takes a few microseconds). */
const lookEvery = { groups: 16, characters: 2 ** 20 };

/**
 * SqliteWriter makes groups of writes durable through a connection of its own, on the thread that it is made on. What
 * stands where and at which revision was decided before (sqlite.ts). One writer at a time may be in use.
 */
export class SqliteWriter {
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #pageBytes: number;
  #walBytes = 0;
  #unseen = { groups: 0, characters: 0 };

  constructor({ file, maxPages }: WriterOptions) {
    this.#database = openForWriting(file);
    if (maxPages !== undefined) this.#database.pragma(`max_page_count = ${maxPages}`);
    this.#pageBytes = this.#database.pragma('page_size', { simple: true }) as number;
    this.#statements = prepareStatements(this.#database);
  }

  /** Writes a group in one transaction and returns when it is durable. Throws when it cannot; nothing of it is written then. */
  write({ keys, revisions, values, revision }: WriteGroup): WriteAnswer {
    const { begin, commit, setRevision, put, remove } = this.#statements;
    const deleted: string[] = [];
    begin.run();
    try {
      for (const [index, key] of keys.entries()) {
        const value = values[index];
        if (value === undefined) deleted.push((remove.get(key) as { readonly value: string }).value);
        else put.run(key, revisions[index], value);
        this.#unseen.characters += value?.length ?? 0;
      }
      setRevision.run(revision);
      commit.run();
    } catch (error) {
      // SQLite may have rolled back by itself.
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#unseen.groups++;
    this.#lookAtWal();
    return { deleted, walBytes: this.#walBytes };
  }

  /** After a checkpoint: returns pages to the file system, a few at a time, once more than a quarter of the file is unused. */
  tidy(): WriteAnswer {
    const free = this.#database.pragma('freelist_count', { simple: true }) as number;
    const pages = this.#database.pragma('page_count', { simple: true }) as number;
    if (free > 1_024 && free * 4 > pages) this.#database.pragma('incremental_vacuum(256)');
    this.#walBytes = 0;
    return { deleted: [], walBytes: 0 };
  }

  /** Copies the WAL into the file and marks it as whole. */
  finish(): void {
    this.#database.exec('UPDATE state SET clean = 1');
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#database.close();
  }

  #lookAtWal(): void {
    if (this.#unseen.groups < lookEvery.groups && this.#unseen.characters < lookEvery.characters) return;
    this.#unseen = { groups: 0, characters: 0 };
    const [row] = this.#database.pragma('wal_checkpoint(NOOP)') as { readonly log: number; readonly checkpointed: number }[];
    // A WAL that is wholly copied is written from its beginning by the next commit.
    this.#walBytes = row === undefined || row.log === row.checkpointed ? 0 : row.log * this.#pageBytes;
  }
}

const prepareStatements = (database: Database.Database) => ({
  begin: database.prepare('BEGIN IMMEDIATE'),
  commit: database.prepare('COMMIT'),
  setRevision: database.prepare('UPDATE state SET revision = ?'),
  put: database.prepare('INSERT INTO rows (key, revision, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value'),
  remove: database.prepare('DELETE FROM rows WHERE key = ? RETURNING value'),
});
