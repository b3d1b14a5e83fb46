/** Exact amounts of several resources, which add up: what pods ask for, what quotas count. */
import { parseQuantity, formatQuantity, type Quantity } from './quantity.ts';

/** Amounts by the name of the resource. */
export type ResourceAmounts = ReadonlyMap<string, Quantity>;

export const noAmounts: ResourceAmounts = new Map();

/** So many whole units. */
export const units = (count: number): Quantity => ({ nano: BigInt(count) * 1_000_000_000n, form: 'DecimalSI' });

/** Reads a resource list; what is no quantity is left out, for validation refuses it. */
export const readAmounts = (list: Readonly<Record<string, string>> | undefined): ResourceAmounts => {
  if (list === undefined) return noAmounts;
  const amounts = new Map<string, Quantity>();
  for (const name of Object.keys(list)) {
    const quantity = parseQuantity(list[name] ?? '');
    if (quantity !== undefined) amounts.set(name, quantity);
  }
  return amounts;
};

/** The amounts as a resource list in canonical form, sorted by name. */
export const writeAmounts = (amounts: ResourceAmounts): Record<string, string> =>
  Object.fromEntries([...amounts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, quantity]) => [name, formatQuantity(quantity)]));

/** One amount out of two, written in the manner of the first that is not zero. */
const joined = (a: Quantity, b: Quantity, nano: bigint): Quantity => ({ nano, form: a.nano === 0n ? b.form : a.form });

const zero: Quantity = { nano: 0n, form: 'DecimalSI' };

const combined = (a: ResourceAmounts, b: ResourceAmounts, each: (a: bigint, b: bigint) => bigint): ResourceAmounts => {
  if (b.size === 0) return a;
  const all = new Map(a);
  for (const [name, amount] of b) {
    const other = all.get(name) ?? zero;
    all.set(name, joined(other, amount, each(other.nano, amount.nano)));
  }
  return all;
};

const more = (a: bigint, b: bigint): bigint => a + b;
const less = (a: bigint, b: bigint): bigint => a - b;
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export const plus = (a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts => combined(a, b, more);
/** May come out below zero; names of either side are kept. */
export const minus = (a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts => combined(a, b, less);
/** The greater amount of each resource. */
export const greatest = (a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts => combined(a, b, most);
