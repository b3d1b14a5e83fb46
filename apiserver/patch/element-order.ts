import { badRequest } from '../../schemas/errors.ts';

/**
 * Puts the items of a merged list into the order that `$setElementOrder` asks for. Items that the order does not name
 * (those that only the server knows of) keep their order and stand where they stood relative to their old neighbours.
 *
 * The items of the patch must come in the same order; BadRequest names the first that does not.
 */
export const orderLike = (
  merged: readonly unknown[], old: readonly unknown[], order: readonly unknown[], patched: readonly unknown[],
  keyOf: (item: unknown) => unknown, path: string,
): readonly unknown[] => {
  const rank = ranks(order.map(keyOf));
  assertInOrder(patched.map(keyOf), rank, path);
  const oldRank = ranks(old.map(keyOf));
  const named = merged.filter((item) => rank.has(keyOf(item))).sort((a, b) => rank.get(keyOf(a))! - rank.get(keyOf(b))!);
  const others = merged.filter((item) => !rank.has(keyOf(item))).sort((a, b) => (oldRank.get(keyOf(a)) ?? Infinity) - (oldRank.get(keyOf(b)) ?? Infinity));

  // Two lists that must each keep their order are merged: one of the others goes before a named one only where the old list had it so.
  const out: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const place = oldRank.get(keyOf(item)) ?? -1;
    for (; next < others.length && (oldRank.get(keyOf(others[next])) ?? Infinity) < place; next++) out.push(others[next]);
    out.push(item);
  }
  return [...out, ...others.slice(next)];
};

const ranks = (keys: readonly unknown[]): ReadonlyMap<unknown, number> => {
  const rank = new Map<unknown, number>();
  keys.forEach((key, index) => rank.has(key) || rank.set(key, index));
  return rank;
};

const assertInOrder = (keys: readonly unknown[], rank: ReadonlyMap<unknown, number>, path: string): void => {
  let last = -1;
  for (const key of keys) {
    const place = rank.get(key);
    if (place === undefined || place < last) {
      throw badRequest(`$setElementOrder of ${path} must name the items of the patch in their order; ${JSON.stringify(key)} is ${place === undefined ? 'missing' : 'out of order'}`);
    }
    last = place;
  }
};
