import type { Clock } from '../../base/clock.ts';

/** A clock that stands still until it is told to go on. Timers run in the order of their time, one at a time. */
export class FakeClock implements Clock {
  #nowMs: number;
  #timers: { readonly atMs: number; readonly order: number; readonly callback: () => void }[] = [];
  #order = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(afterMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, afterMs), order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Goes forward and runs what is due; between two timers, promises and I/O that are ready get their turn. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets promise chains and immediates that are ready run, several rounds deep. */
export const settle = async (rounds = 8): Promise<void> => {
  for (let round = 0; round < rounds; round++) await new Promise((resolve) => setImmediate(resolve));
};
