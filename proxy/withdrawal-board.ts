import type { Withdrawal } from './withdrawal.ts';

/**
 * Knows which addresses the proxy sends connections to. Before the first apply nothing is known, and everybody waits;
 * while a table is being applied, the addresses of the old and of the new one count.
 */
export class WithdrawalBoard implements Withdrawal {
  #applied: ReadonlySet<string> | undefined;
  #applying: ReadonlySet<string> = new Set();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Called before the backend applies a table with these addresses. */
  applying(addresses: ReadonlySet<string>): void {
    this.#applying = addresses;
  }

  /** Called when the backend has applied it: new connections follow it from now on. */
  applied(addresses: ReadonlySet<string>): void {
    this.#applied = addresses;
    this.#applying = addresses;
    for (const [ip, waiting] of this.#waiting) if (!addresses.has(ip)) for (const done of waiting) done();
  }

  withdrawn(podIp: string, signal: AbortSignal): Promise<void> {
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
