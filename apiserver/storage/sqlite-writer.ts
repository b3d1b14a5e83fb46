/**
 * The thread that writes the file: the only one that does. What stands where and at which revision was decided before
 * (sqlite.ts); here it is made durable, group by group, so that the event loop waits neither for SQLite nor for the disk.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadFailure } from './thread.ts';
import { openForWriting } from './sqlite-file.ts';

export interface WriterData {
  readonly file: string;
  readonly maxPages: number | undefined;
}

export type WriterMessage =
  /** Puts and deletes in order; a delete's value is undefined. `revision` is the one that the file stands at then. */
  | { readonly act: 'write'; readonly keys: readonly string[]; readonly revisions: readonly number[]; readonly values: readonly (string | undefined)[]; readonly revision: number }
  /** Gives unused pages back to the file system, a few at a time. */
  | { readonly act: 'tidy' }
  /** Marks the file as whole and ends. */
  | { readonly act: 'close' }
  /** Ends; what the disk holds is not known. */
  | { readonly act: 'abandon' };

export interface WriterAnswer {
  /** The last values of the rows that were deleted, in order. */
  readonly deleted: readonly string[];
  /** Bytes of the write-ahead log that are not in the file yet, as far as was looked. */
  readonly walBytes: number;
}

/** Groups, and characters of values, between two looks at the WAL's size (a look takes a few microseconds). */
const lookEvery = { groups: 16, characters: 2 ** 20 };

const { file, maxPages } = workerData as WriterData;
const database = openForWriting(file);
if (maxPages !== undefined) database.pragma(`max_page_count = ${maxPages}`);
const pageBytes = database.pragma('page_size', { simple: true }) as number;
const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');
const setRevision = database.prepare('UPDATE state SET revision = ?');
const put = database.prepare('INSERT INTO rows (key, revision, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value');
const remove = database.prepare('DELETE FROM rows WHERE key = ? RETURNING value');

let walBytes = 0;
let unseen = { groups: 0, characters: 0 };

const lookAtWal = (): void => {
  if (unseen.groups < lookEvery.groups && unseen.characters < lookEvery.characters) return;
  unseen = { groups: 0, characters: 0 };
  const [row] = database.pragma('wal_checkpoint(NOOP)') as { readonly log: number; readonly checkpointed: number }[];
  // A WAL that is wholly copied is written from its beginning by the next commit.
  walBytes = row === undefined || row.log === row.checkpointed ? 0 : row.log * pageBytes;
};

const write = ({ keys, revisions, values, revision }: Extract<WriterMessage, { readonly act: 'write' }>): WriterAnswer => {
  const deleted: string[] = [];
  begin.run();
  try {
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value === undefined) deleted.push((remove.get(key) as { readonly value: string }).value);
      else put.run(key, revisions[index], value);
      unseen.characters += value?.length ?? 0;
    }
    setRevision.run(revision);
    commit.run();
  } catch (error) {
    // SQLite may have rolled back by itself.
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
  unseen.groups++;
  lookAtWal();
  return { deleted, walBytes };
};

/** Returns pages once more than a quarter of the file is unused. */
const tidy = (): WriterAnswer => {
  const free = database.pragma('freelist_count', { simple: true }) as number;
  const pages = database.pragma('page_count', { simple: true }) as number;
  if (free > 1_024 && free * 4 > pages) database.pragma('incremental_vacuum(256)');
  walBytes = 0;
  return { deleted: [], walBytes };
};

const close = (): void => {
  try {
    database.exec('UPDATE state SET clean = 1');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
};

const answer = (message: WriterMessage): WriterAnswer | ThreadFailure | undefined => {
  try {
    switch (message.act) {
      case 'write': return write(message);
      case 'tidy': return tidy();
      case 'close': close(); return undefined;
      case 'abandon': database.close(); return undefined;
    }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.on('message', (message: WriterMessage) => {
  const said = answer(message);
  if (said === undefined || message.act === 'close') parentPort?.close();
  else parentPort?.postMessage(said, []);
});
