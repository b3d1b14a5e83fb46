/** Carries works out one after the other, in the order in which they were given. One that fails does not hold up the next. */
export class InTurn {
  #last: Promise<void> = Promise.resolve();

  /** Settles as the work does. */
  run(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
