import { sleep, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';

/** The whole state is given again this often, so that what others broke is repaired. */
export const resyncMs = 60_000;
/** Wait after a failed apply, doubling up to the longest. */
const retry = { firstMs: 200, longestMs: 30_000 } as const;

export interface ApplyLoopOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For the log: `the service table`. */
  readonly what: string;
  /** Makes the world agree with the whole state as it is now; what stands is to be looked at as well where `resync` says so. */
  readonly apply: (signal: AbortSignal, resync: boolean) => Promise<void>;
}

/**
 * Applies a state again and again, one apply at a time: at once after a change when nothing is under way, and changes
 * during an apply make one next apply. A failed apply is logged and tried again.
 */
export class ApplyLoop {
  readonly #options: ApplyLoopOptions;
  #dirty = true;
  #wake = (): void => undefined;
  #waiting: (() => void)[] = [];

  constructor(options: ApplyLoopOptions) {
    this.#options = options;
  }

  /** To be called after every change of the state. */
  readonly changed = (): void => {
    this.#dirty = true;
    this.#wake();
  };

  /** Resolves when the state as it is now, or a later one, has been applied; rejects when the signal aborts before. */
  applied(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      this.changed();
    });
  }

  /** Applies until the signal aborts; `ready` is called when the first apply is over. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log, what, apply } = this.#options;
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    let failures = 0;
    let told = false;
    let resyncedAtMs = -Infinity;
    while (!signal.aborted) {
      if (this.#dirty) {
        this.#dirty = false;
        const waiting = this.#waiting;
        this.#waiting = [];
        const nowMs = clock.now();
        const resync = nowMs - resyncedAtMs >= resyncMs;
        try {
          await apply(signal, resync);
          if (resync) resyncedAtMs = nowMs;
          for (const done of waiting) done();
          failures = 0;
          if (!told) ready();
          told = true;
        } catch (error) {
          if (signal.aborted) return;
          this.#dirty = true;
          resyncedAtMs = -Infinity;
          this.#waiting.unshift(...waiting);
          log.error(`cannot apply ${what}; trying again`, { error });
          await sleep(clock, Math.min(retry.longestMs, retry.firstMs * 2 ** failures++), signal);
        }
      } else {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(resyncMs - (clock.now() - resyncedAtMs), this.changed);
          this.#wake = () => {
            cancel();
            resolve();
          };
        });
        // Events of one burst come in one turn; they make one apply.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}
