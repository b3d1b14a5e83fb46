/** The database file: creation, schema version, settings and the check after a crash. */
import { closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';

/** Marks the file as barge's ("barg"). */
const applicationId = 0x62_61_72_67;
const schemaVersion = 1;

// A rowid table with a unique key takes twice the writes of a WITHOUT ROWID one: moving long values in the key's own
// tree is what costs. The state's one row carries the revision, which must not go back when the newest row is deleted.
const schema = `
  CREATE TABLE rows (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, value TEXT NOT NULL) STRICT;
  CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, clean INTEGER NOT NULL) STRICT;
  INSERT INTO state VALUES (1, 0, 1);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

const number = (database: Database.Database, pragma: string): number => database.pragma(pragma, { simple: true }) as number;

/** Settings that belong to a connection. */
const settings = `
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
`;

/** Makes the file where there is none and looks whether it can be used; gives its revision. Throws when it is not barge's, is of a newer barge, or is damaged. */
export const prepareFile = (file: string): number => {
  // The file holds secrets; its WAL takes over its mode.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Database(file, { timeout: 10_000 });
  try {
    prepare(database, file);
    return (database.prepare('SELECT revision FROM state').get() as { readonly revision: number }).revision;
  } catch (error) {
    if (error instanceof Database.SqliteError && (error.code.startsWith('SQLITE_NOTADB') || error.code.startsWith('SQLITE_CORRUPT'))) throw damaged(file, error.message, error);
    throw error;
  } finally {
    database.close();
  }
};

/** A connection to a prepared file for its one writer. */
export const openForWriting = (file: string): Database.Database => {
  const database = new Database(file, { fileMustExist: true, timeout: 10_000 });
  database.exec(settings);
  return database;
};

const prepare = (database: Database.Database, file: string): void => {
  // Both must come before the first table, or they do nothing. Two or more pods fit on a page of this size, so that
  // a write touches fewer of them than with the usual 4 KB.
  database.pragma('page_size = 8192');
  database.pragma('auto_vacuum = INCREMENTAL');
  if (database.pragma('journal_mode = WAL', { simple: true }) !== 'wal') throw new Error(`${file}: the file system cannot hold a write-ahead log`);
  database.exec(settings);
  const version = number(database, 'user_version');
  const empty = number(database, 'schema_version') === 0;
  if (empty) {
    // One transaction: a crash leaves an empty file or a whole one.
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
  } else if (number(database, 'application_id') !== applicationId) {
    throw new Error(`${file} is an SQLite database of another program; choose another data directory`);
  } else if (version > schemaVersion) {
    throw new Error(`${file} was written by a newer barge (schema ${version}, this one knows ${schemaVersion}); use that one`);
  } else if (version < schemaVersion) {
    throw new Error(`${file} has schema ${version}, which this barge cannot read (it knows ${schemaVersion})`);
  }
  const { clean } = database.prepare('SELECT clean FROM state').get() as { readonly clean: number };
  if (clean === 0) {
    const [finding] = database.pragma('quick_check(1)') as { readonly quick_check: string }[];
    if (finding?.quick_check !== 'ok') throw damaged(file, finding?.quick_check ?? 'no answer');
  }
  database.exec('UPDATE state SET clean = 0');
};

const damaged = (file: string, finding: string, cause?: unknown): Error =>
  new Error(`${file} is damaged (${finding}); put back a copy, or move it away to start with an empty cluster`, { cause });
