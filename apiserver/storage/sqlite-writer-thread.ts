/** The writer on a thread of its own: carries out what the messages say, in order, and answers each. */
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteWriter, type WriteAnswer, type WriteGroup, type WriterOptions } from './sqlite-writer.ts';
import type { ThreadFailure } from './thread.ts';

export type WriterMessage =
  | { readonly act: 'write'; readonly group: WriteGroup }
  | { readonly act: 'tidy' }
  | { readonly act: 'finish' }
  /** Ends the thread; there is no answer. */
  | { readonly act: 'close' };

const writer = new SqliteWriter(workerData as WriterOptions);
const done: WriteAnswer = { deleted: [], walBytes: 0 };

const answer = (message: WriterMessage): WriteAnswer | ThreadFailure => {
  try {
    switch (message.act) {
      case 'write': return writer.write(message.group);
      case 'tidy': return writer.tidy();
      case 'finish': writer.finish(); return done;
      case 'close': writer.close(); return done;
    }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.on('message', (message: WriterMessage) => {
  const said = answer(message);
  if (message.act === 'close') parentPort?.close();
  else parentPort?.postMessage(said, []);
});
