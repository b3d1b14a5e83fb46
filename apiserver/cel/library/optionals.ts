/** Values that may be missing. */
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { ArrayList, CelList, CelMap, CelOptional, CelUint, type CelValue } from '../values.ts';
import type { CelBudget } from '../budget.ts';

const isZero = (value: CelValue): boolean => {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  return value instanceof Uint8Array && value.length === 0;
};

const unwrapped = (list: CelList, budget: CelBudget): ArrayList => {
  budget.spend(list.size);
  return new ArrayList([...list].flatMap((item) => (item instanceof CelOptional && item.value !== undefined ? [item.value] : [])));
};

export const optionals: readonly CelFunction[] = [
  fn('optional::none(): optional<dyn>', () => CelOptional.none),
  fn('optional::of(A): optional<A>', (value: CelValue) => new CelOptional(value)),
  fn('optional::ofNonZeroValue(A): optional<A>', (value: CelValue) => (isZero(value) ? CelOptional.none : new CelOptional(value))),
  fn('optional<A>.hasValue(): bool', ({ value }: CelOptional) => value !== undefined),
  fn('optional<A>.value(): A', ({ value }: CelOptional) => {
    if (value === undefined) throw new CelError('optional.none() dereference');
    return value;
  }),
  fn('optional<A>.or(optional<A>): optional<A>', (one: CelOptional, other: CelOptional) => (one.value === undefined ? other : one)),
  fn('optional<A>.orValue(A): A', ({ value }: CelOptional, other: CelValue) => (value === undefined ? other : value)),
  fn('optional::unwrap(list<optional<A>>): list<A>', unwrapped),
  fn('list<optional<A>>.unwrapOpt(): list<A>', unwrapped),
];
