/**
 * The thread that copies the WAL into the database file, with a connection of its own, so that the event loop never
 * waits for it. A passive checkpoint does not stop writers. Runs once for each message and answers with what is left.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { CheckpointAnswer } from './checkpointer.ts';

const { file } = workerData as { readonly file: string };
const database = new Database(file, { fileMustExist: true, timeout: 10_000 });
database.pragma('synchronous = FULL');
database.pragma('wal_autocheckpoint = 0');

const checkpoint = (): CheckpointAnswer => {
  try {
    const [row] = database.pragma('wal_checkpoint(PASSIVE)') as { readonly log: number; readonly checkpointed: number }[];
    return { left: row === undefined ? 0 : row.log - row.checkpointed };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.on('message', (message: 'checkpoint' | 'close') => {
  if (message === 'checkpoint') parentPort?.postMessage(checkpoint(), []);
  else {
    database.close();
    parentPort?.close();
  }
});
