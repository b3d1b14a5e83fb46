/** Operators. Whole numbers that do not fit into 64 bits are errors, as are divisions by zero. */
import type { CelBudget } from '../budget.ts';
import { compareValues, isEqual, joinLists } from '../equality.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { durationOf, timestampOf } from '../time.ts';
import { ArrayList, CelDuration, CelList, CelMap, CelTimestamp, CelUint, keyOfValue, type CelValue } from '../values.ts';

const min = -(2n ** 63n);
const max = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

/** The number as an int; throws CelError where it takes more than 64 bits. */
export const intOf = (value: bigint): bigint => {
  if (value < min || value > max) throw new CelError('integer overflow');
  return value;
};

/** The number as a uint; throws CelError where it is negative or takes more than 64 bits. */
export const uintOf = (value: bigint): CelUint => {
  if (value < 0n || value > maxUint) throw new CelError('unsigned integer overflow');
  return new CelUint(value);
};

const divisor = (value: bigint, what: string): bigint => {
  if (value === 0n) throw new CelError(what);
  return value;
};

const onUints = (calculate: (a: bigint, b: bigint) => bigint) => (a: CelUint, b: CelUint) => uintOf(calculate(a.value, b.value));

const arithmetic: readonly CelFunction[] = [
  fn('_+_(int, int): int', (a: bigint, b: bigint) => intOf(a + b)),
  fn('_-_(int, int): int', (a: bigint, b: bigint) => intOf(a - b)),
  fn('_*_(int, int): int', (a: bigint, b: bigint) => intOf(a * b)),
  fn('_/_(int, int): int', (a: bigint, b: bigint) => intOf(a / divisor(b, 'division by zero'))),
  fn('_%_(int, int): int', (a: bigint, b: bigint) => a % divisor(b, 'modulus by zero')),
  fn('-_(int): int', (a: bigint) => intOf(-a)),
  fn('_+_(uint, uint): uint', onUints((a, b) => a + b)),
  fn('_-_(uint, uint): uint', onUints((a, b) => a - b)),
  fn('_*_(uint, uint): uint', onUints((a, b) => a * b)),
  fn('_/_(uint, uint): uint', onUints((a, b) => a / divisor(b, 'division by zero'))),
  fn('_%_(uint, uint): uint', onUints((a, b) => a % divisor(b, 'modulus by zero'))),
  fn('_+_(double, double): double', (a: number, b: number) => a + b),
  fn('_-_(double, double): double', (a: number, b: number) => a - b),
  fn('_*_(double, double): double', (a: number, b: number) => a * b),
  fn('_/_(double, double): double', (a: number, b: number) => a / b),
  fn('-_(double): double', (a: number) => -a),
];

const joining: readonly CelFunction[] = [
  fn('_+_(string, string): string', (a: string, b: string, budget: CelBudget) => {
    budget.spendText(a.length + b.length);
    return a + b;
  }),
  fn('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array, budget: CelBudget) => {
    budget.spendText(a.length + b.length);
    return new Uint8Array(Buffer.concat([a, b]));
  }),
  fn('_+_(list<A>, list<A>): list<A>', (a: CelList, b: CelList, budget: CelBudget) => new ArrayList(joinLists(a, b, budget), a.type)),
];

const times: readonly CelFunction[] = [
  fn('_+_(timestamp, duration): timestamp', (a: CelTimestamp, b: CelDuration) => timestampOf(a.nanos + b.nanos)),
  fn('_+_(duration, timestamp): timestamp', (a: CelDuration, b: CelTimestamp) => timestampOf(a.nanos + b.nanos)),
  fn('_+_(duration, duration): duration', (a: CelDuration, b: CelDuration) => durationOf(a.nanos + b.nanos)),
  fn('_-_(timestamp, timestamp): duration', (a: CelTimestamp, b: CelTimestamp) => durationOf(a.nanos - b.nanos)),
  fn('_-_(timestamp, duration): timestamp', (a: CelTimestamp, b: CelDuration) => timestampOf(a.nanos - b.nanos)),
  fn('_-_(duration, duration): duration', (a: CelDuration, b: CelDuration) => durationOf(a.nanos - b.nanos)),
];

const numbers = ['int', 'uint', 'double'];

const ordered: readonly (readonly [string, string])[] = [
  ...numbers.flatMap((a) => numbers.map((b) => [a, b] as const)),
  ...['string', 'bool', 'bytes', 'timestamp', 'duration'].map((one) => [one, one] as const),
];

const orders: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0, '<=': (order) => order <= 0, '>': (order) => order > 0, '>=': (order) => order >= 0,
};

const comparisons = Object.entries(orders).flatMap(([sign, holds]) =>
  ordered.map(([a, b]) => fn(`_${sign}_(${a}, ${b}): bool`, (x: CelValue, y: CelValue, budget: CelBudget) => holds(compareValues(x, y, budget)))));

const memberships: readonly CelFunction[] = [
  fn('_in_(A, list<A>): bool', (item: CelValue, list: CelList, budget: CelBudget) => {
    for (const one of list) {
      budget.spend(1);
      if (isEqual(one, item, budget)) return true;
    }
    return false;
  }),
  fn('_in_(A, map<A, B>): bool', (key: CelValue, map: CelMap) => {
    const plain = keyOfValue(key);
    return plain !== undefined && map.get(plain) !== undefined;
  }),
];

export const operators: readonly CelFunction[] = [
  ...arithmetic, ...joining, ...times, ...comparisons, ...memberships,
  fn('_==_(dyn, dyn): bool', (a: CelValue, b: CelValue, budget: CelBudget) => isEqual(a, b, budget)),
  fn('_!=_(dyn, dyn): bool', (a: CelValue, b: CelValue, budget: CelBudget) => !isEqual(a, b, budget)),
  fn('!_(bool): bool', (a: boolean) => !a),
];
