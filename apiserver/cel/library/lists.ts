/** Functions on lists and sets. */
import type { CelBudget } from '../budget.ts';
import { compareValues, isEqual } from '../equality.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { durationOf } from '../time.ts';
import { ArrayList, CelDuration, CelList, CelUint, type CelValue } from '../values.ts';
import { intOf, uintOf } from './operators.ts';

const sumOf = (list: CelList, zero: CelValue, budget: CelBudget): CelValue => {
  budget.spend(list.size);
  let total: CelValue = zero;
  for (const item of list) total = add(total, item);
  return total;
};

const add = (a: CelValue, b: CelValue): CelValue => {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof CelUint && b instanceof CelUint) return uintOf(a.value + b.value);
  if (a instanceof CelDuration && b instanceof CelDuration) return durationOf(a.nanos + b.nanos);
  // The first item of a list of unknown type says what is added.
  if (a === 0n && (typeof b === 'number' || b instanceof CelUint || b instanceof CelDuration)) return b;
  throw new CelError('no such overload: sum wants numbers or durations of one type');
};

const best = (list: CelList, budget: CelBudget, better: (order: number) => boolean): CelValue => {
  if (list.size === 0) throw new CelError(`${better(-1) ? 'min' : 'max'} called on empty list`);
  let found = list.at(0);
  for (const item of list) {
    budget.spend(1);
    if (better(compareValues(item, found, budget))) found = item;
  }
  return found;
};

const isSorted = (list: CelList, budget: CelBudget): boolean => {
  for (let i = 1; i < list.size; i++) {
    budget.spend(1);
    if (compareValues(list.at(i - 1), list.at(i), budget) > 0) return false;
  }
  return true;
};

const contains = (list: CelList, item: CelValue, budget: CelBudget): boolean => {
  for (const one of list) {
    budget.spend(1);
    if (isEqual(one, item, budget)) return true;
  }
  return false;
};

const containsAll = (list: CelList, others: CelList, budget: CelBudget): boolean => [...others].every((item) => contains(list, item, budget));

const indexFrom = (list: CelList, item: CelValue, budget: CelBudget, order: 'first' | 'last'): bigint => {
  for (let i = 0; i < list.size; i++) {
    budget.spend(1);
    const at = order === 'first' ? i : list.size - 1 - i;
    if (isEqual(list.at(at), item, budget)) return BigInt(at);
  }
  return -1n;
};

const flattened = (list: CelList, depth: number, budget: CelBudget): readonly CelValue[] => {
  budget.spend(list.size);
  return [...list].flatMap((item) => (item instanceof CelList && depth > 0 ? flattened(item, depth - 1, budget) : [item]));
};

const distinct = (list: CelList, budget: CelBudget): ArrayList => {
  const kept: CelValue[] = [];
  for (const item of list) if (!kept.some((one) => (budget.spend(1), isEqual(one, item, budget)))) kept.push(item);
  return new ArrayList(kept);
};

const slice = (list: CelList, from: bigint, to: bigint, budget: CelBudget): ArrayList => {
  if (from < 0n || to < from || to > BigInt(list.size)) throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.size}`);
  budget.spend(Number(to - from));
  return new ArrayList([...list].slice(Number(from), Number(to)));
};

const sorted = (list: CelList, budget: CelBudget): ArrayList => {
  budget.spend(list.size);
  return new ArrayList([...list].sort((a, b) => (budget.spend(1), compareValues(a, b, budget))));
};

const summable = { int: 0n, uint: new CelUint(0n), double: 0, duration: new CelDuration(0n) } as const;
const comparable = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration'];

export const lists: readonly CelFunction[] = [
  ...Object.entries(summable).map(([type, zero]) => fn(`list<${type}>.sum(): ${type}`, (list: CelList, budget: CelBudget) => sumOf(list, list.size > 0 && typeof list.at(0) === 'bigint' ? 0n : zero, budget))),
  ...comparable.flatMap((type) => [
    fn(`list<${type}>.min(): ${type}`, (list: CelList, budget: CelBudget) => best(list, budget, (order) => order < 0)),
    fn(`list<${type}>.max(): ${type}`, (list: CelList, budget: CelBudget) => best(list, budget, (order) => order > 0)),
    fn(`list<${type}>.isSorted(): bool`, isSorted),
    fn(`list<${type}>.sort(): list<${type}>`, sorted),
  ]),
  fn('list<A>.indexOf(A): int', (list: CelList, item: CelValue, budget: CelBudget) => indexFrom(list, item, budget, 'first')),
  fn('list<A>.lastIndexOf(A): int', (list: CelList, item: CelValue, budget: CelBudget) => indexFrom(list, item, budget, 'last')),
  fn('list<A>.distinct(): list<A>', distinct),
  fn('list<A>.reverse(): list<A>', (list: CelList, budget: CelBudget) => (budget.spend(list.size), new ArrayList([...list].toReversed()))),
  fn('list<A>.slice(int, int): list<A>', slice),
  fn('list<dyn>.flatten(): list<dyn>', (list: CelList, budget: CelBudget) => new ArrayList(flattened(list, 1, budget))),
  fn('list<dyn>.flatten(int): list<dyn>', (list: CelList, depth: bigint, budget: CelBudget) => {
    if (depth < 0n) throw new CelError('level must be non-negative');
    return new ArrayList(flattened(list, Number(depth), budget));
  }),
  fn('lists::range(int): list<int>', (count: bigint, budget: CelBudget) => {
    budget.spend(Math.max(0, Number(count)));
    return new ArrayList(Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i)));
  }),
  fn('sets::contains(list<A>, list<A>): bool', containsAll),
  fn('sets::equivalent(list<A>, list<A>): bool', (a: CelList, b: CelList, budget: CelBudget) => containsAll(a, b, budget) && containsAll(b, a, budget)),
  fn('sets::intersects(list<A>, list<A>): bool', (a: CelList, b: CelList, budget: CelBudget) => [...b].some((item) => contains(a, item, budget))),
];
