import type { Log } from '../../base/log.ts';
import { Thread, type ThreadFailure } from './thread.ts';

/** Frames that a checkpoint left in the WAL, or why it failed. */
export type CheckpointAnswer = { readonly left: number } | ThreadFailure;

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
  readonly #thread: Thread<'checkpoint' | 'close', { readonly left: number }>;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#thread = new Thread('checkpoint-worker', { file: options.file });
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
    await this.#thread.close('close');
  }

  async #run(behind: boolean): Promise<void> {
    if (!behind) await this.#thread.call('checkpoint');
    await this.#options.pauseDuring(async () => {
      await this.#thread.call('checkpoint');
    });
  }
}
