/** What is equal to what, and what comes before what. */
import type { CelBudget } from './budget.ts';
import { CelError } from './errors.ts';
import type { CelListType } from './types.ts';
import { CelDuration, CelList, CelMap, CelOpaque, CelOptional, CelTimestamp, CelTypeValue, CelUint, keyOfValue, typeNameOf, type CelValue } from './values.ts';

const numberOf = (value: CelValue): bigint | number | undefined => {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof CelUint ? value.value : undefined;
};

/** Numbers are equal across types by their value; values of other different types are not. Throws CelBudgetExceeded only. */
export const isEqual = (a: CelValue, b: CelValue, budget: CelBudget): boolean => {
  if (typeof a === 'string' && typeof b === 'string') {
    budget.spendText(Math.min(a.length, b.length));
    return a === b;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return sameScalar(a, b);
  if (a instanceof CelList) return b instanceof CelList && sameList(a, b, budget);
  if (a instanceof CelMap) return b instanceof CelMap && a.typeName === b.typeName && sameMap(a, b, budget);
  if (a instanceof CelUint) return sameScalar(a, b);
  if (a instanceof Uint8Array) {
    if (!(b instanceof Uint8Array)) return false;
    budget.spendText(Math.min(a.length, b.length));
    return Buffer.compare(a, b) === 0;
  }
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.nanos === b.nanos;
  if (a instanceof CelDuration) return b instanceof CelDuration && a.nanos === b.nanos;
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.typeName === b.typeName;
  if (a instanceof CelOptional) {
    if (!(b instanceof CelOptional)) return false;
    return a.value === undefined || b.value === undefined ? a.value === b.value : isEqual(a.value, b.value, budget);
  }
  return b instanceof CelOpaque && a.typeName === b.typeName && a.equals(b);
};

const sameScalar = (a: CelValue, b: CelValue): boolean => {
  const [x, y] = [numberOf(a), numberOf(b)];
  return x === undefined || y === undefined ? a === b : orderNumbers(x, y) === 0;
};

const sameList = (a: CelList, b: CelList, budget: CelBudget): boolean => {
  if (a.size !== b.size) return false;
  const type = a.type ?? b.type;
  if (type?.semantics !== undefined) {
    const others = [...b];
    for (const item of a) if (!others.some((other) => budget.spend(1) ?? isEqual(item, other, budget))) return false;
    return true;
  }
  for (let i = 0; i < a.size; i++) {
    budget.spend(1);
    if (!isEqual(a.at(i), b.at(i), budget)) return false;
  }
  return true;
};

const sameMap = (a: CelMap, b: CelMap, budget: CelBudget): boolean => {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    budget.spend(1);
    const plain = keyOfValue(key)!;
    const other = b.get(plain);
    if (other === undefined || !isEqual(a.get(plain)!, other, budget)) return false;
  }
  return true;
};

/** The lists joined: sets without doubles, maps with the items of the second in place of those of the first that have the same keys. */
export const joinLists = (a: CelList, b: CelList, budget: CelBudget): CelValue[] => {
  budget.spend(a.size + b.size);
  const type = a.type;
  if (type?.semantics === undefined) return [...a, ...b];
  const same = (x: CelValue, y: CelValue): boolean => (budget.spend(1), type.semantics === 'map' ? sameKeys(type, x, y, budget) : isEqual(x, y, budget));
  const joined = [...a];
  for (const item of b) {
    const at = joined.findIndex((one) => same(one, item));
    if (at < 0) joined.push(item);
    else joined[at] = item;
  }
  return joined;
};

const sameKeys = ({ mapKeys = [] }: CelListType, a: CelValue, b: CelValue, budget: CelBudget): boolean =>
  a instanceof CelMap && b instanceof CelMap && mapKeys.every((key) => {
    const [x, y] = [a.get(key), b.get(key)];
    return x === undefined || y === undefined ? x === y : isEqual(x, y, budget);
  });

/** As cel-go does: a whole number is taken as a double where the other is one, with what that loses. */
const orderNumbers = (a: bigint | number, b: bigint | number): number => {
  const [x, y] = typeof a === typeof b ? [a, b] : [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  return x < y ? -1 : x > y ? 1 : 0;
};

const order = <T extends bigint | number | boolean>(a: T | number, b: T | number): number => (a < b ? -1 : a > b ? 1 : 0);

const surrogate = /[\ud800-\udfff]/;

/** By code points, not by UTF-16 units. */
const orderTexts = (a: string, b: string): number => {
  if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
};

/** Below 0, 0 or above 0; NaN where a number is none. Throws CelError for values that have no order among each other. */
export const compareValues = (a: CelValue, b: CelValue, budget: CelBudget): number => {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return orderNumbers(x, y);
  if (typeof a === 'string' && typeof b === 'string') {
    budget.spendText(Math.min(a.length, b.length));
    return orderTexts(a, b);
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return order(Number(a), Number(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    budget.spendText(Math.min(a.length, b.length));
    return Buffer.compare(a, b);
  }
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return order(a.nanos, b.nanos);
  if (a instanceof CelDuration && b instanceof CelDuration) return order(a.nanos, b.nanos);
  throw new CelError(`no such overload: ${typeNameOf(a)} and ${typeNameOf(b)} have no order`);
};
