import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../base/log.ts';

/** Frames that a checkpoint left in the WAL, or why it failed. */
export type CheckpointAnswer = { readonly left: number } | { readonly error: string };

export interface CheckpointerOptions {
  readonly file: string;
  readonly log: Log;
  /** A checkpoint starts when the WAL holds this much. */
  readonly walBytes: number;
  /** What the WAL holds now that is not in the database file, in bytes. */
  readonly pending: () => number;
  /** Runs the work while nothing is written. */
  readonly pauseDuring: (work: () => Promise<void>) => Promise<void>;
}

/** With more than this many times walBytes in the WAL, writers wait for the checkpoint. */
const hardFactor = 8;

/**
 * Checkpointer keeps the WAL bounded without stopping the event loop.
 *
 * SQLite starts the WAL anew only when a checkpoint has copied all of it, which a passive one never achieves under
 * continuous writes. So a checkpoint has two parts, both in a thread: a long one beside the writers, and a short one for
 * what they added meanwhile, during which commits (not the event loop) wait a few milliseconds. The next commit then
 * writes from the WAL's beginning.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  /** Called now and then after commits; starts a checkpoint when it is time. */
  look(): void {
    if (this.#running !== undefined || this.#closed) return;
    const bytes = this.#options.pending();
    if (bytes < this.#options.walBytes) return;
    this.#running = this.#run(bytes > hardFactor * this.#options.walBytes).catch((error: unknown) => {
      // The data is safe in the WAL; the next look tries again.
      this.#options.log.error('checkpoint failed; the write-ahead log grows until one succeeds', { error, file: this.#options.file });
    }).finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when no checkpoint is under way and the thread has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    const worker = this.#worker;
    if (worker === undefined) return;
    const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage('close', []);
    await exit;
  }

  async #run(behind: boolean): Promise<void> {
    if (!behind) await this.#checkpoint();
    await this.#options.pauseDuring(async () => {
      await this.#checkpoint();
    });
  }

  #checkpoint(): Promise<void> {
    const worker = this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        worker.off('message', answered);
        worker.off('error', settle);
        worker.off('exit', ended);
        worker.unref();
        if (error === undefined) resolve();
        else reject(error);
      };
      const answered = (answer: CheckpointAnswer): void => settle('error' in answer ? new Error(answer.error) : undefined);
      const ended = (): void => settle(new Error('the checkpoint thread ended'));
      worker.on('message', answered);
      worker.on('error', settle);
      worker.on('exit', ended);
      // Commits may be waiting for this answer, and with them a process that has nothing else to do.
      worker.ref();
      worker.postMessage('checkpoint', []);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./checkpoint-worker${extname(import.meta.url)}`, import.meta.url), {
      workerData: { file: this.#options.file }, name: 'checkpoint',
    });
    // An error also ends the running checkpoint, which reports it.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      this.#worker = undefined;
    });
    return worker;
  }
}
