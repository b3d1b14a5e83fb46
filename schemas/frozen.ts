/** Objects are frozen once, when they are stored, and from then on shared by everyone in the process. */

/** A private copy that may be changed. Made by `draftOf`, never by a cast. */
export type Draft<T> = T extends readonly (infer E)[] ? Draft<E>[]
  : T extends object ? { -readonly [K in keyof T]: Draft<T[K]> }
  : T;

/** Freezes a JSON value all the way down and gives it back. Already frozen parts are taken as wholly frozen. */
export const deepFreeze = <T>(value: T): T => {
  if (isFreezable(value)) freeze(value);
  return value;
};

const isFreezable = (value: unknown): value is object => typeof value === 'object' && value !== null && !Object.isFrozen(value);

/** Texts and numbers, which are most members, cost no call; and the index of an item is not made a text. */
const freeze = (value: object): void => {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (isFreezable(item)) freeze(item);
  } else {
    for (const key in value) {
      const member = (value as Record<string, unknown>)[key];
      if (isFreezable(member)) freeze(member);
    }
  }
  Object.freeze(value);
};

/** A deep, mutable copy of a JSON value. Members that are undefined are left out. */
export const draftOf = <T>(value: T): Draft<T> => copy(value) as Draft<T>;

const copy = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) out[key] = copy(member);
  }
  return out;
};

/** Equality of JSON values. A member that is undefined equals one that is absent. */
export const deepEqual = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  }
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!deepEqual(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
};
