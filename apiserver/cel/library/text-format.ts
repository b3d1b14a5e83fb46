/** `'%s of %d'.format([...])`, by the rules of CEL's strings extension. */
import type { CelBudget } from '../budget.ts';
import { CelError } from '../errors.ts';
import { formatDuration, formatTimestamp } from '../time.ts';
import { CelDuration, CelList, CelMap, CelTimestamp, CelTypeValue, CelUint, keyOfValue, typeNameOf, type CelValue } from '../values.ts';

const clause = /%(?:(%)|(?:\.(\d{1,9}))?([sdfeboxX])|([^]?))/g;

/** Digits behind the point at most; more than any double has. */
const maxPrecision = 100;

/** Throws CelError for a clause that there is not, for values that a clause cannot show and for missing arguments. */
export const format = (text: string, args: CelList, budget: CelBudget): string => {
  budget.spendText(text.length);
  let used = 0;
  return text.replaceAll(clause, (all, percent?: string, precision?: string, verb?: string) => {
    if (percent !== undefined) return '%';
    if (verb === undefined) throw new CelError(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(all.slice(1))}`);
    const digits = precision === undefined ? undefined : Number(precision);
    if (digits !== undefined && digits > maxPrecision) throw new CelError(`precision ${precision} is too large`);
    if (used >= args.size) throw new CelError(`index ${used} out of range`);
    const shown = clauses[verb]!(args.at(used++), digits ?? 6, budget);
    budget.spendText(shown.length);
    return shown;
  });
};

const wrongType = (verb: string, value: CelValue): never => {
  throw new CelError(`error during formatting: ${verb} clause cannot be used on ${typeNameOf(value)}`);
};

const wholeOf = (value: CelValue): bigint | undefined => (typeof value === 'bigint' ? value : value instanceof CelUint ? value.value : undefined);

const special = (value: number): string | undefined =>
  Number.isNaN(value) ? 'NaN' : value === Infinity ? 'Infinity' : value === -Infinity ? '-Infinity' : undefined;

const numberOf = (verb: string, value: CelValue): number => {
  const whole = wholeOf(value);
  if (typeof value === 'string' && ['NaN', 'Infinity', '-Infinity'].includes(value)) return Number(value);
  return typeof value === 'number' ? value : whole === undefined ? wrongType(verb, value) : Number(whole);
};

const inBase = (value: bigint, base: number): string => value.toString(base);

const hexOf = (value: CelValue): string => {
  const whole = wholeOf(value);
  if (whole !== undefined) return inBase(whole, 16);
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : wrongType('hex', value);
};

/** With halves to the even neighbour, as Go writes numbers; JavaScript goes away from zero. */
const fixed = (number: number, precision: number): string => {
  const exact = number.toFixed(Math.min(100, precision + 30));
  const cut = exact.length - (Math.min(100, precision + 30) - precision);
  const [kept, rest] = [exact.slice(0, cut), exact.slice(cut)];
  const isHalf = /^50*$/.test(rest) && /[02468]\.?$/.test(kept);
  return isHalf ? kept.replace(/\.$/, '') : number.toFixed(precision);
};

type Clause = (value: CelValue, precision: number, budget: CelBudget) => string;

const clauses: Readonly<Record<string, Clause>> = {
  s: (value, _, budget) => shown(value, budget),
  d: (value) => {
    const whole = wholeOf(value);
    if (whole !== undefined) return String(whole);
    return typeof value === 'number' ? special(value) ?? wrongType('decimal', value) : wrongType('decimal', value);
  },
  f: (value, precision) => {
    const number = numberOf('fixed-point', value);
    return special(number) ?? fixed(number, precision);
  },
  e: (value, precision) => {
    const number = numberOf('scientific', value);
    return special(number) ?? number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
  },
  b: (value) => (typeof value === 'boolean' ? String(Number(value)) : inBase(wholeOf(value) ?? wrongType('binary', value), 2)),
  o: (value) => inBase(wholeOf(value) ?? wrongType('octal', value), 8),
  x: (value) => hexOf(value),
  X: (value) => hexOf(value).toUpperCase(),
};

/** A value as %s shows it: lists and maps with their parts. */
const shown = (value: CelValue, budget: CelBudget): string => {
  budget.spend(1);
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return special(value) ?? String(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelTypeValue) return value.typeName;
  if (value instanceof CelList) return `[${[...value].map((item) => shown(item, budget)).join(', ')}]`;
  if (value instanceof CelMap) return shownMap(value, budget);
  return wrongType('string', value);
};

const shownMap = (map: CelMap, budget: CelBudget): string => {
  const entries: string[] = [];
  for (const key of map.keys()) entries.push(`${shown(key, budget)}: ${shown(map.get(keyOfValue(key)!)!, budget)}`);
  return `{${entries.sort().join(', ')}}`;
};
