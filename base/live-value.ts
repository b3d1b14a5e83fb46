/** A value that can be replaced while it is in use: who uses it listens, and takes the new one for what it begins next. */
export class LiveValue<T> {
  #current: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(current: T) {
    this.#current = current;
  }

  get current(): T {
    return this.#current;
  }

  replace(value: T): void {
    this.#current = value;
    for (const listener of this.#listeners) listener(value);
  }

  /** Called with each new value. The returned function ends that. */
  onReplaced(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
