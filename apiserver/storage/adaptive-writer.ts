/**
 * Where the store is written: on the event loop as long as that costs it little, on a thread of its own from the moment it
 * does not. A quiet cluster writes a few rows a second; a thread for them would take 17 MB and two hops for each. A busy
 * one, or one on a slow disk, would spend a third of its time in SQLite and in fsync: there the thread takes all of it
 * off the loop, and groups form while it writes.
 */
import { SqliteWriter, type WriteAnswer, type WriteGroup, type WriterOptions } from './sqlite-writer.ts';
import type { WriterMessage } from './sqlite-writer-thread.ts';
import { Thread } from './thread.ts';

/** The share of the loop's time that makes a second a busy one, and how many of them in a row make a thread start: more than a start of a cluster has. */
const busyShare = 0.2;
const windowMs = 1_000;
const busyWindows = 3;

export class AdaptiveWriter {
  readonly #options: WriterOptions;
  readonly #nowMs: () => number;
  #here: SqliteWriter | undefined;
  #thread: Thread<WriterMessage, WriteAnswer> | undefined;
  /** Set while the thread starts: writing goes on here meanwhile. */
  #starting = false;
  #windowStart = 0;
  #spentMs = 0;
  #busy = 0;

  /** `nowMs` is any clock that does not go back. */
  constructor(options: WriterOptions, nowMs: () => number) {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#windowStart = nowMs();
    this.#here = new SqliteWriter(options);
  }

  /** True from the moment that a thread writes. */
  get threaded(): boolean {
    return this.#here === undefined;
  }

  /** Resolves when the group is durable. One call at a time. */
  async write(group: WriteGroup): Promise<WriteAnswer> {
    if (this.#here === undefined) return this.#thread!.call({ act: 'write', group });
    const startMs = this.#nowMs();
    const answer = this.#here.write(group);
    this.#note(startMs, this.#nowMs());
    return answer;
  }

  /** After a checkpoint: gives unused pages back. */
  async tidy(): Promise<WriteAnswer> {
    return this.#here === undefined ? this.#thread!.call({ act: 'tidy' }) : this.#here.tidy();
  }

  /** Marks the file as whole. */
  async finish(): Promise<void> {
    if (this.#here === undefined) await this.#thread!.call({ act: 'finish' });
    else this.#here.finish();
  }

  /** Gives back the connection and the thread. */
  async close(): Promise<void> {
    this.#here?.close();
    await this.#thread?.close({ act: 'close' });
  }

  #note(startMs: number, endMs: number): void {
    this.#spentMs += endMs - startMs;
    const passedMs = endMs - this.#windowStart;
    if (passedMs < windowMs) return;
    this.#busy = this.#spentMs > passedMs * busyShare ? this.#busy + 1 : 0;
    this.#windowStart = endMs;
    this.#spentMs = 0;
    if (this.#busy >= busyWindows && !this.#starting) this.#startThread();
  }

  #startThread(): void {
    this.#starting = true;
    const thread = this.#thread = new Thread<WriterMessage, WriteAnswer>('sqlite-writer-thread', this.#options);
    thread.call({ act: 'tidy' }).then(() => {
      // Writes here are done within one turn, so that none is under way now. The thread's connection keeps the WAL open.
      this.#here?.close();
      this.#here = undefined;
    }, () => {
      // Without the thread writing goes on here, which is slower and no less safe; the next busy second tries again.
      this.#thread = undefined;
      this.#starting = false;
      this.#busy = 0;
    });
  }
}
