/** How many pods there are of each priority, for the question whether anything could make way at all. Clusters use few. */
export class Priorities {
  readonly #counts = new Map<number, number>();
  #least = Infinity;

  /** The lowest; Infinity where there is none. */
  get least(): number {
    return this.#least;
  }

  add(priority: number): void {
    this.#counts.set(priority, (this.#counts.get(priority) ?? 0) + 1);
    if (priority < this.#least) this.#least = priority;
  }

  remove(priority: number): void {
    const left = (this.#counts.get(priority) ?? 0) - 1;
    if (left > 0) {
      this.#counts.set(priority, left);
      return;
    }
    this.#counts.delete(priority);
    if (priority === this.#least) this.#least = Math.min(Infinity, ...this.#counts.keys());
  }
}
