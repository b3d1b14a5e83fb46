import type { Transaction } from './storage.ts';

/** What became of one transaction of a group: its revision, or why it alone was refused. */
export type Outcome = { readonly revision: number } | { readonly refused: Error };

export interface GroupCommitOptions {
  /** Writes a group in order and makes it durable; one outcome for each. What it throws refuses the whole group. */
  readonly write: (group: readonly Transaction[]) => readonly Outcome[];
  /** Transactions in one group at most: bounds how long the event loop stands still. */
  readonly maxTransactions: number;
  /** Characters of values in one group at most, but for a transaction that is larger alone. */
  readonly maxCharacters: number;
}

interface Pending {
  readonly transaction: Transaction;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * GroupCommit lets transactions that arrive in the same turn of the event loop share one write and one fsync. A lone
 * transaction waits for nothing but the end of its turn; under load a group is what came while the last one was written.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #pending: Pending[] = [];
  #scheduled = false;
  #pauses = 0;
  #idle: (() => void)[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves with the revision when the transaction is durable; rejects with why it was refused. */
  add(transaction: Transaction): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ transaction, resolve, reject });
      this.#schedule();
    });
  }

  /** Writes nothing until the work is over, however it ends. What is added meanwhile waits; the event loop goes on. */
  async pauseDuring<T>(work: () => Promise<T>): Promise<T> {
    this.#pauses++;
    try {
      return await work();
    } finally {
      this.#pauses--;
      this.#schedule();
    }
  }

  /** Resolves when everything that was added is settled. */
  async drained(): Promise<void> {
    if (this.#pending.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#pauses > 0 || this.#pending.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#pauses === 0) this.#flush();
      this.#schedule();
    });
  }

  #flush(): void {
    const group = this.#pending.splice(0, this.#groupSize());
    try {
      const outcomes = this.#options.write(group.map(({ transaction }) => transaction));
      for (const [index, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[index]!;
        if ('revision' in outcome) resolve(outcome.revision);
        else reject(outcome.refused);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    if (this.#pending.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #groupSize(): number {
    const { maxTransactions, maxCharacters } = this.#options;
    let characters = 0;
    let size = 0;
    for (const { transaction } of this.#pending) {
      for (const { value } of transaction.writes) characters += value?.length ?? 0;
      if (size > 0 && (size >= maxTransactions || characters > maxCharacters)) break;
      size++;
    }
    return size;
  }
}
