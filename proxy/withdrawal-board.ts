import { sleep, type Clock } from '../base/clock.ts';
import type { Withdrawal, WithdrawalState } from './withdrawal.ts';

/**
 * An address counts this long after the table lost it. A connection that came a moment before is in its first request,
 * and many a program drops that when it is told to end.
 */
export const lingerMs = 300;

/** Of the endpoint slices that a table was made of. */
export interface TableRevisions {
  /** All writes up to this one are in it. */
  readonly reached: number;
  /** The last of them that is still to be seen: every other proxy hears of it as well. */
  readonly newest: number;
}

/**
 * Knows which addresses the proxy sends connections to. Before the first apply nothing is known, and everybody waits;
 * while a table is being applied, the addresses of the old and of the new one count.
 */
export class WithdrawalBoard implements Withdrawal, WithdrawalState {
  readonly #clock: Clock;
  /** When an address went, as long as that matters. */
  readonly #wentAtMs = new Map<string, number>();
  #applied: ReadonlySet<string> | undefined;
  #applying: ReadonlySet<string> = new Set();
  #reached = 0;
  #newest = 0;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Called before the backend applies a table with these addresses. */
  applying(addresses: ReadonlySet<string>): void {
    this.#applying = addresses;
  }

  get revision(): number {
    return this.#newest;
  }

  isGone(podIp: string, revision: number): boolean {
    return this.#reached >= revision && this.#applied?.has(podIp) === false && !this.#applying.has(podIp) && this.#lingersMs(podIp) <= 0;
  }

  /** Called when the backend has applied it: new connections follow it from now on. */
  applied(addresses: ReadonlySet<string>, { reached, newest }: TableRevisions = { reached: 0, newest: 0 }): void {
    this.#reached = reached;
    this.#newest = newest;
    const nowMs = this.#clock.now();
    for (const [ip, atMs] of this.#wentAtMs) if (atMs + lingerMs <= nowMs || addresses.has(ip)) this.#wentAtMs.delete(ip);
    for (const ip of this.#applied ?? []) if (!addresses.has(ip)) this.#wentAtMs.set(ip, nowMs);
    this.#applied = addresses;
    this.#applying = addresses;
    for (const [ip, waiting] of this.#waiting) if (!addresses.has(ip)) for (const done of waiting) done();
  }

  async withdrawn(podIp: string, signal: AbortSignal): Promise<void> {
    await this.#gone(podIp, signal);
    const leftMs = this.#lingersMs(podIp);
    if (leftMs > 0) await sleep(this.#clock, leftMs, signal);
  }

  #lingersMs(podIp: string): number {
    return (this.#wentAtMs.get(podIp) ?? -Infinity) + lingerMs - this.#clock.now();
  }

  #gone(podIp: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (this.#applied?.has(podIp) === false && !this.#applying.has(podIp))) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(podIp) ?? new Set();
      this.#waiting.set(podIp, waiting);
      const done = (): void => {
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(podIp);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
