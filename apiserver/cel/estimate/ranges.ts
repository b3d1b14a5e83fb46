/** How large a value can be. Numbers stop at `unbounded`, which stands for no limit at all. */

/** Characters of a text, bytes, items of a list or entries of a map: at least and at most. */
export interface Range {
  readonly min: number;
  readonly max: number;
  /** Limits that no schema sets and that would make `max` smaller, such as `maxItems of spec.ports`: the first `mostWanting`. */
  readonly wanting?: readonly string[] | undefined;
}

/** As large as anything: 2^64, where Kubernetes' numbers end. */
export const unbounded = 2 ** 64;

/** The number, or `unbounded` where it is larger. */
export const capped = (count: number): number => Math.min(count, unbounded);

/** Nothing is known of the size. */
export const anySize: Range = Object.freeze({ min: 0, max: unbounded });

/** Just so large. */
export const exactly = (count: number): Range => ({ min: count, max: count });

/** So many missing limits are told; whoever sets them is told the next ones. */
export const mostWanting = 8;

/** The first few of two lists, each once. */
export const firstWanting = (a: readonly string[], b: readonly string[]): readonly string[] => (b.length === 0 ? a : [...new Set([...a, ...b])].slice(0, mostWanting));

const both = ({ wanting: a }: Range, { wanting: b }: Range): readonly string[] | undefined => (a === undefined ? b : b === undefined ? a : firstWanting(a, b));

/** One after the other. */
export const joinedSize = (a: Range, b: Range): Range => ({ min: capped(a.min + b.min), max: capped(a.max + b.max), wanting: both(a, b) });

/** Either of two. */
export const eitherSize = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), wanting: both(a, b) });

/** So many, each so large. */
export const repeatedSize = (a: Range, b: Range): Range => ({ min: capped(a.min * b.min), max: capped(a.max * b.max), wanting: both(a, b) });

/** The one that ends first, as when two are compared. */
export const shorterSize = (a: Range, b: Range): Range => (b.max < a.max ? b : a);
