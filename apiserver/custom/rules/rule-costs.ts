/**
 * What the rules of a definition can cost, before there is an object: each by itself as often as its place can be there,
 * and all of one version together. The limits are those of Kubernetes, so that a definition that is taken here is
 * taken there. They keep out what would be refused with most objects later, when the budgets of evaluate-rules.ts count.
 */
import { forbidden, type FieldError } from '../../../schemas/errors.ts';
import type { CostEstimate } from '../../cel/estimate/estimate.ts';
import { capped, firstWanting } from '../../cel/estimate/ranges.ts';

/** Units that one expression may be estimated at, and all of one version. */
export const ruleCostLimit = 10_000_000;
export const versionCostLimit = 100_000_000;

/** An expression is named as one that made the total too much if it is at least this, and among the first few. */
const worthNaming = versionCostLimit / 100;
const maxNamed = 4;

/** How often a place can be there in one object. */
export interface Repetition {
  readonly times: number;
  /** Limits that no schema sets and that would make it less often. */
  readonly wanting: readonly string[];
}

/** Of what is there once. */
export const once: Repetition = Object.freeze({ times: 1, wanting: Object.freeze([]) });

interface Expensive {
  readonly field: string;
  readonly units: number;
}

const factorText = (factor: number): string => (factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`);

/** What would make it less. */
const advice = (what: 'it' | 'the rules', wanting: readonly string[], unknownSizes: boolean): string => {
  if (unknownSizes) return `simplify ${what}: nothing is known of the size of what some calls give, such as string(..)${wanting.length > 0 ? `; and set ${wanting.join(', ')}` : ''}`;
  return `simplify ${what}, or ${wanting.length > 0 ? `set ${wanting.join(', ')}` : 'lower maxItems, maxProperties and maxLength in the schema'}`;
};

/** Counts what the expressions of one version cost. */
export class VersionCost {
  readonly #expensive: Expensive[] = [];
  #wanting: readonly string[] = [];
  #total = 0;
  #unknownSizes = false;

  /** Counts one expression; what is wrong with it by itself. */
  add(field: string, what: 'rule' | 'messageExpression', { units, wanting, unknownSizes }: CostEstimate, { times, wanting: often }: Repetition): readonly FieldError[] {
    const cost = capped(units * times);
    const limits = firstWanting(often, wanting);
    this.#total = capped(this.#total + cost);
    if (cost >= worthNaming) {
      this.#expensive.push({ field, units: cost });
      this.#wanting = firstWanting(this.#wanting, limits);
      this.#unknownSizes ||= unknownSizes;
    }
    return cost > ruleCostLimit ? [forbidden(field, `estimated ${what} cost exceeds budget by factor of ${factorText(cost / ruleCostLimit)} (${advice('it', limits, unknownSizes)})`)] : [];
  }

  /** What is wrong with all of them together, at the most expensive and at the schema. */
  errors(field: string): readonly FieldError[] {
    if (this.#total <= versionCostLimit) return [];
    const named = this.#expensive.toSorted((a, b) => b.units - a.units).slice(0, maxNamed);
    return [
      ...named.map((one) => forbidden(one.field, 'contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema')),
      forbidden(field, `x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema exceeds budget by factor of ${factorText(this.#total / versionCostLimit)} (${advice('the rules', this.#wanting, this.#unknownSizes)})`),
    ];
  }
}
