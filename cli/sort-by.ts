import { parseRelaxedPath } from './jsonpath.ts';
import { selectValues } from './jsonpath-evaluate.ts';
import { compareQuantities, parseQuantity } from '../schemas/quantity.ts';

/** Runs of digits compare as numbers: web-2 before web-10. */
const natural = new Intl.Collator('en', { numeric: true }).compare;

const compare = (a: unknown, b: unknown): number => {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = String(a);
  const right = String(b);
  return parseQuantity(left) === undefined || parseQuantity(right) === undefined ? natural(left, right) : compareQuantities(left, right);
};

/** The items in the order of what a path selects in each; items without it come first, equal ones stay as they were. */
export const sortBy = <T>(items: readonly T[], path: string, objectOf: (item: T) => unknown): readonly T[] => {
  const parsed = parseRelaxedPath(path);
  return items
    .map((item) => ({ item, value: selectValues(parsed, objectOf(item)).flat()[0] }))
    .sort((a, b) => compare(a.value, b.value))
    .map(({ item }) => item);
};
