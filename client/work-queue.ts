/**
 * WorkQueue hands out keys to workers. A key is dirty when it must be looked at and working while someone does; it is
 * never given out twice at once, and one that becomes dirty while it is worked on is given out again afterwards. However
 * often a key is added, it is worked on once for all of it: each look decides what comes next.
 *
 * A key waits for one time only, the earliest it was asked for. Failures back off per key.
 */
import type { Clock } from '../base/clock.ts';
import { backoffMs } from './backoff.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Delay after the first failure; 5 ms where absent, as in client-go. */
  readonly firstRetryMs?: number;
  /**
   * Longest delay between tries; 60 s where absent. client-go waits up to 1,000 s, which is longer than anyone waits who
   * has just repaired the cause; a look costs little here, since it reads a cache.
   */
  readonly longestRetryMs?: number;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: Parameters<typeof backoffMs>[1];
  /** Dirty keys that nobody works on, oldest first. */
  readonly #ready = new Set<string>();
  /** Keys that became dirty while they were worked on. */
  readonly #again = new Set<string>();
  readonly #working = new Set<string>();
  readonly #later = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;
  #adds = 0;
  #retries = 0;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#backoff = { firstMs: options.firstRetryMs ?? 5, longestMs: options.longestRetryMs ?? 60_000, jitter: 0.1, random: options.random };
  }

  /** How often a key was made dirty, and how often after a failure, since the start. */
  get counts(): { readonly adds: number; readonly retries: number } {
    return { adds: this.#adds, retries: this.#retries };
  }

  /** Keys that are ready and not taken. */
  get size(): number {
    return this.#ready.size;
  }

  /** Makes a key dirty now. Does nothing after shutDown. */
  add(key: string): void {
    if (this.#closed) return;
    this.#adds++;
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
    if (this.#working.has(key)) return void this.#again.add(key);
    const taker = this.#ready.has(key) ? undefined : this.#takers.shift();
    if (taker === undefined) return void this.#ready.add(key);
    this.#working.add(key);
    taker(key);
  }

  /** Makes a key dirty in a while, unless it is or becomes so earlier. */
  addAfter(key: string, afterMs: number): void {
    if (afterMs <= 0) return this.add(key);
    if (this.#closed || this.#ready.has(key) || this.#again.has(key)) return;
    const atMs = this.#clock.now() + afterMs;
    const waiting = this.#later.get(key);
    if (waiting !== undefined && waiting.atMs <= atMs) return;
    waiting?.cancel();
    const cancel = this.#clock.after(afterMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { atMs, cancel });
  }

  /** Counts a failure and makes the key dirty after the backoff, whose milliseconds are returned. */
  retry(key: string): number {
    this.#retries++;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const afterMs = Math.round(backoffMs(failures, this.#backoff));
    this.addAfter(key, afterMs);
    return afterMs;
  }

  /** Failures in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key did well: its next failure backs off from the start. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, when there is one; it is worked on until `done`. Undefined after shutDown. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    for (const key of this.#ready) {
      this.#ready.delete(key);
      this.#working.add(key);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The key that take gave out is no longer worked on. */
  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Forgets everything that waits and sends all takers home. */
  shutDown(): void {
    this.#closed = true;
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    this.#ready.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
