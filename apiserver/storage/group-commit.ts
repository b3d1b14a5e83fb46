/** What GroupCommit needs to know of a transaction. */
export interface Grouped {
  /** Characters that it writes. */
  readonly characters: number;
  /** Called when its group is durable. */
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export interface GroupCommitOptions<T extends Grouped> {
  /** Writes a group in order; resolves when it is durable. What it rejects with fails the whole group. */
  readonly write: (group: readonly T[]) => Promise<void>;
  /** Transactions in one group at most: bounds how long the others wait. */
  readonly maxTransactions: number;
  /** Characters in one group at most, but for a transaction that is larger alone. */
  readonly maxCharacters: number;
}

/**
 * GroupCommit lets transactions that arrive together share one write and one fsync. One group is under way at a time. A
 * lone transaction waits for nothing but the end of its turn of the event loop; under load a group is what came while the
 * last one was written.
 */
export class GroupCommit<T extends Grouped> {
  readonly #options: GroupCommitOptions<T>;
  #pending: T[] = [];
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #pauses = 0;
  #idle: (() => void)[] = [];

  constructor(options: GroupCommitOptions<T>) {
    this.#options = options;
  }

  /** Puts a transaction at the end; it hears by `done` or `failed` what became of it. */
  add(transaction: T): void {
    this.#pending.push(transaction);
    this.#schedule();
  }

  /** Writes nothing until the work is over, however it ends. What is added meanwhile waits; the event loop goes on. */
  async pauseDuring<R>(work: () => Promise<R>): Promise<R> {
    this.#pauses++;
    try {
      await this.#writing;
      return await work();
    } finally {
      this.#pauses--;
      this.#schedule();
    }
  }

  /** Resolves when everything that was added is settled. */
  async drained(): Promise<void> {
    if (this.#pending.length > 0 || this.#writing !== undefined) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined || this.#pauses > 0 || this.#pending.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#writing !== undefined || this.#pauses > 0 || this.#pending.length === 0) return;
    const group = this.#pending.splice(0, this.#groupSize());
    this.#writing = this.#write(group);
  }

  async #write(group: readonly T[]): Promise<void> {
    try {
      await this.#options.write(group);
      for (const { done } of group) done();
    } catch (error) {
      for (const { failed } of group) failed(error);
    } finally {
      this.#writing = undefined;
      if (this.#pending.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
      // What has come meanwhile has waited long enough.
      this.#flush();
    }
  }

  #groupSize(): number {
    const { maxTransactions, maxCharacters } = this.#options;
    let characters = 0;
    let size = 0;
    for (const transaction of this.#pending) {
      characters += transaction.characters;
      if (size > 0 && (size >= maxTransactions || characters > maxCharacters)) break;
      size++;
    }
    return size;
  }
}
