/**
 * A question whose answer is good for all who asked before it was sent. One is under way at a time: who comes meanwhile
 * shares the next, for what the one under way sees may be older than his coming.
 */
export class SharedQuestion<T> {
  readonly #ask: () => Promise<T>;
  #current: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  answer(): Promise<T> {
    if (this.#current === undefined) return this.#begin();
    const begin = (): Promise<T> => {
      this.#next = undefined;
      return this.#begin();
    };
    return this.#next ??= this.#current.then(begin, begin);
  }

  #begin(): Promise<T> {
    const asked: Promise<T> = this.#ask().finally(() => {
      if (this.#current === asked) this.#current = undefined;
    });
    return this.#current = asked;
  }
}
