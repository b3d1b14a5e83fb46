/** Lets so many writes be under way at a time: enough to share the store's group commits, few enough to keep their order of urgency. */
export class Slots {
  readonly #limit: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when a slot is free, or the signal aborts; takes none. */
  async free(signal: AbortSignal): Promise<void> {
    while (this.#taken >= this.#limit && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.push(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  /** Does the work in a slot, also where there are none left: the work that is there must be done. It must not reject. */
  run(work: () => Promise<void>): void {
    this.#taken++;
    void work().finally(() => {
      this.#taken--;
      this.#waiting.shift()?.();
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#taken > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
