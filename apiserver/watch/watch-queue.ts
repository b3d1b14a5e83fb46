import type { WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';

/**
 * Watch hands out events in order, each exactly once. It is registered when it is made, not when it is first read, and
 * it has one reader.
 */
export interface Watch extends AsyncIterableIterator<readonly WatchEvent[], undefined> {
  /**
   * Every matching change up to this revision was taken by the reader, who has come back for more. A bookmark may
   * promise this much and no more.
   */
  readonly position: number;
  /** True when nothing will be put into it any more. */
  readonly ended: boolean;
  /** Notes that the reader is back for more, and gives it nothing yet; the position then. */
  comeBack(): number;
  /** Answers the reader who waits with something that is no change; false when nobody waits. */
  interrupt(result: IteratorResult<readonly WatchEvent[], undefined>): boolean;
  next(): Promise<IteratorResult<readonly WatchEvent[], undefined>>;
  return(): Promise<IteratorResult<readonly WatchEvent[], undefined>>;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<readonly WatchEvent[], undefined>) => void;
  readonly reject: (error: Error) => void;
}

export interface WatchQueueOptions {
  readonly after: number;
  /** Events that may wait for the reader when a new batch comes; with more, the watch ends as Expired. */
  readonly limit: number;
  /** The revision up to which changes have been published. */
  readonly published: () => number;
  /** Called once, when the watch is over. */
  readonly onEnd: () => void;
}

/** The queue between the cache and one reader. */
export class WatchQueue implements Watch {
  readonly #options: WatchQueueOptions;
  #events: WatchEvent[] = [];
  /** Revision of the newest event in the queue. */
  #queued: number;
  /** Revision up to which the reader was given events. */
  #given: number;
  #taken: number;
  #waiting: Waiting | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  /** True from the first event of a batch until flush. */
  #touched = false;

  constructor(options: WatchQueueOptions) {
    this.#options = options;
    this.#queued = options.after;
    this.#given = options.after;
    this.#taken = options.after;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  get position(): number {
    const idle = this.#waiting !== undefined && this.#events.length === 0;
    return idle ? Math.max(this.#taken, this.#options.published()) : this.#taken;
  }

  /** Puts an event at the end. True when it is the first since the last flush. Events at or before `after` are not wanted. */
  push(event: WatchEvent, revision: number): boolean {
    if (this.#end !== undefined || revision <= this.#options.after) return false;
    if (!this.#touched && this.#events.length >= this.#options.limit) {
      this.end(new ApiError('Expired', `too old resource version: ${this.#given} (${revision}): the reader is ${this.#events.length} events behind`));
      return false;
    }
    this.#events.push(event);
    this.#queued = revision;
    const first = !this.#touched;
    this.#touched = true;
    return first;
  }

  /** Wakes the reader. */
  flush(): void {
    this.#touched = false;
    if (this.#waiting === undefined || this.#events.length === 0) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve({ value: this.#take(), done: false });
  }

  comeBack(): number {
    this.#taken = this.#given;
    return this.#events.length === 0 ? Math.max(this.#taken, this.#options.published()) : this.#taken;
  }

  interrupt(result: IteratorResult<readonly WatchEvent[], undefined>): boolean {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(result);
    return waiting !== undefined;
  }

  /** Ends the watch: with an error at once, without one after what is in the queue. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    if (error !== undefined) this.#events = [];
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error === undefined) waiting?.resolve({ value: undefined, done: true });
    else waiting?.reject(error);
    this.#options.onEnd();
  }

  /** Ends the watch and forgets what is in the queue; for a reader that has gone. */
  abandon(): void {
    this.#events = [];
    this.end();
  }

  next(): Promise<IteratorResult<readonly WatchEvent[], undefined>> {
    this.#taken = this.#given;
    if (this.#waiting !== undefined) return Promise.reject(new Error('a watch has one reader, which waits for one batch at a time'));
    if (this.#events.length > 0) return Promise.resolve({ value: this.#take(), done: false });
    if (this.#end !== undefined) {
      const { error } = this.#end;
      this.#end = { error: undefined };
      return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<readonly WatchEvent[], undefined>> {
    this.abandon();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): readonly WatchEvent[] {
    const events = this.#events;
    this.#events = [];
    this.#given = this.#queued;
    return events;
  }
}
