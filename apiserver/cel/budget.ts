import { CelBudgetExceeded } from './errors.ts';

/** Characters of a text that one unit of cost pays for, as in Kubernetes. */
const charactersPerUnit = 10;

/**
 * What expressions may still cost. One unit is about one step: a member read, a call, a round of a comprehension; texts
 * and lists that are walked through cost more by their length. Several programs can share a budget.
 */
export class CelBudget {
  #left: number;

  /** The limit is in units; see docs/design/admission.md for what they take. */
  constructor(limit: number) {
    this.#left = limit;
  }

  get left(): number {
    return this.#left;
  }

  /** Throws CelBudgetExceeded once there is nothing left, from then on each time. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new CelBudgetExceeded();
  }

  /** Pays for a walk through so many characters or bytes. */
  spendText(length: number): void {
    this.spend(Math.ceil(length / charactersPerUnit));
  }
}
