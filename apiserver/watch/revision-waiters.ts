interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Promises for revisions that are still to come. They are asked for in nearly rising order, so each costs one step. */
export class RevisionWaiters {
  /** By rising revision. */
  #waiters: Waiter[] = [];

  wait(revision: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let at = this.#waiters.length;
      while (at > 0 && this.#waiters[at - 1]!.revision > revision) at--;
      this.#waiters.splice(at, 0, { revision, resolve, reject });
    });
  }

  /** Resolves all that waited for this revision or an earlier one. */
  reached(revision: number): void {
    let count = 0;
    while (count < this.#waiters.length && this.#waiters[count]!.revision <= revision) count++;
    if (count === 0) return;
    for (const waiter of this.#waiters.splice(0, count)) waiter.resolve();
  }

  reject(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
