/** Reads members and items, of values that are there and of optional ones. */
import { CelError } from './errors.ts';
import { CelList, CelMap, CelOptional, keyOfValue, typeNameOf, type CelValue } from './values.ts';

/** Whether it is an error when nothing is there, or an empty optional. */
export type Need = 'needed' | 'optional';

const found = (value: CelValue | undefined, need: Need, missing: () => string): CelValue => {
  if (need === 'optional') return value === undefined ? CelOptional.none : new CelOptional(value);
  if (value === undefined) throw new CelError(missing());
  return value;
};

/** `of.name`: throws CelError where there is no such member and one is needed, and for values that have no members. */
export const memberOf = (of: CelValue, name: string, need: Need): CelValue => {
  if (of instanceof CelMap) return found(of.member(name), need, () => `no such key: ${name}`);
  if (of instanceof CelOptional) return of.value === undefined ? of : memberOf(of.value, name, 'optional');
  throw new CelError(`no such overload: ${typeNameOf(of)} has no members`);
};

/** `of[index]`: throws CelError as memberOf does. */
export const indexOf = (of: CelValue, index: CelValue, need: Need): CelValue => {
  if (of instanceof CelOptional) return of.value === undefined ? of : indexOf(of.value, index, 'optional');
  const key = keyOfValue(index);
  if (of instanceof CelList) {
    if (typeof key !== 'bigint') throw new CelError(`no such overload: an index must be an int, not a ${typeNameOf(index)}`);
    const inside = key >= 0n && key < BigInt(of.size);
    return found(inside ? of.at(Number(key)) : undefined, need, () => `index out of bounds: ${key}`);
  }
  if (!(of instanceof CelMap)) throw new CelError(`no such overload: ${typeNameOf(of)} has no items`);
  if (key === undefined && typeof index !== 'number') throw new CelError(`no such overload: a key cannot be a ${typeNameOf(index)}`);
  return found(key === undefined ? undefined : of.get(key), need, () => `no such key: ${String(key ?? index)}`);
};
