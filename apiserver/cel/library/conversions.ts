/** Functions that make a value of one type from one of another. */
import type { CelBudget } from '../budget.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { durationOf, formatDuration, formatTimestamp, parseDuration, parseTimestamp, second, timestampOf } from '../time.ts';
import { CelDuration, CelList, CelMap, CelTimestamp, CelTypeValue, CelUint, typeNameOf, type CelValue } from '../values.ts';
import { intOf, uintOf } from './operators.ts';

const same = (value: CelValue): CelValue => value;

const wholePart = (value: number, what: string): bigint => {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 64) throw new CelError(`${what} overflow`);
  return BigInt(Math.trunc(value));
};

/** The largest double below 2^63; at it, cel-go refuses already. */
const doubleToInt = (value: number): bigint => {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new CelError('integer overflow');
  return wholePart(value, 'integer');
};

const readInt = (text: string): bigint => {
  if (!/^[+-]?\d{1,64}$/.test(text)) throw new CelError(`cannot convert ${JSON.stringify(text.slice(0, 64))} to int`);
  return intOf(BigInt(text.replace('+', '')));
};

const readUint = (text: string): CelUint => {
  if (!/^\d{1,64}$/.test(text)) throw new CelError(`cannot convert ${JSON.stringify(text.slice(0, 64))} to uint`);
  return uintOf(BigInt(text));
};

const readDouble = (text: string): number => {
  const word = /^([+-]?)(?:inf|infinity)$/i.exec(text);
  if (word !== null) return word[1] === '-' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw new CelError(`cannot convert ${JSON.stringify(text.slice(0, 64))} to double`);
  return Number(text);
};

const truths: Readonly<Record<string, boolean>> = { 1: true, t: true, T: true, true: true, TRUE: true, True: true, 0: false, f: false, F: false, false: false, FALSE: false, False: false };

const readBool = (text: string): boolean => {
  const value = Object.hasOwn(truths, text) ? truths[text] : undefined;
  if (value === undefined) throw new CelError(`cannot convert ${JSON.stringify(text.slice(0, 64))} to bool`);
  return value;
};

/** A double as Go's %g would write it, but whole numbers plain up to 21 digits. */
export const doubleText = (value: number): string => {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const readUtf8 = (bytes: Uint8Array, budget: CelBudget): string => {
  budget.spendText(bytes.length);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
};

const readTimestamp = (text: string): CelTimestamp => {
  const read = parseTimestamp(text);
  if (read === undefined) throw new CelError(`cannot convert ${JSON.stringify(text.slice(0, 64))} to timestamp`);
  return read;
};

const readDuration = (text: string): CelDuration => {
  const read = parseDuration(text);
  if (read === undefined) throw new CelError(`cannot convert ${JSON.stringify(text.slice(0, 64))} to duration`);
  return read;
};

const asSeconds = (nanos: bigint): bigint => (nanos >= 0n || nanos % second === 0n ? nanos / second : nanos / second - 1n);

const surrogates = /[\ud800-\udbff][\udc00-\udfff]/;

/** How many characters a text has. */
export const characterCount = (text: string, budget: CelBudget): number => {
  budget.spendText(text.length);
  if (!surrogates.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
};

const sizes = (['string', 'bytes', 'list<A>', 'map<A, B>'] as const).flatMap((type) => {
  const size = (value: CelValue, budget: CelBudget): bigint => {
    if (typeof value === 'string') return BigInt(characterCount(value, budget));
    return BigInt(value instanceof Uint8Array ? value.length : (value as CelList | CelMap).size);
  };
  return [fn(`size(${type}): int`, size), fn(`${type}.size(): int`, size)];
});

export const conversions: readonly CelFunction[] = [
  ...sizes,
  fn('type(dyn): type', (value: CelValue) => new CelTypeValue(typeNameOf(value))),
  fn('dyn(dyn): dyn', same),
  fn('int(int): int', same),
  fn('int(uint): int', (value: CelUint) => intOf(value.value)),
  fn('int(double): int', doubleToInt),
  fn('int(string): int', readInt),
  fn('int(timestamp): int', ({ nanos }: CelTimestamp) => asSeconds(nanos)),
  fn('uint(uint): uint', same),
  fn('uint(int): uint', uintOf),
  fn('uint(double): uint', (value: number) => uintOf(wholePart(value, 'unsigned integer'))),
  fn('uint(string): uint', readUint),
  fn('double(double): double', same),
  fn('double(int): double', Number),
  fn('double(uint): double', ({ value }: CelUint) => Number(value)),
  fn('double(string): double', readDouble),
  fn('bool(bool): bool', same),
  fn('bool(string): bool', readBool),
  fn('string(string): string', same),
  fn('string(bool): string', String),
  fn('string(int): string', String),
  fn('string(uint): string', ({ value }: CelUint) => String(value)),
  fn('string(double): string', doubleText),
  fn('string(bytes): string', readUtf8),
  fn('string(timestamp): string', formatTimestamp),
  fn('string(duration): string', formatDuration),
  fn('bytes(bytes): bytes', same),
  fn('bytes(string): bytes', (text: string, budget: CelBudget) => {
    budget.spendText(text.length);
    return new Uint8Array(Buffer.from(text));
  }),
  fn('timestamp(timestamp): timestamp', same),
  fn('timestamp(string): timestamp', readTimestamp, { parameter: 0, wrong: (text) => (parseTimestamp(text) === undefined ? 'invalid timestamp argument' : undefined) }),
  fn('timestamp(int): timestamp', (seconds: bigint) => timestampOf(seconds * second)),
  fn('duration(duration): duration', same),
  fn('duration(string): duration', readDuration, { parameter: 0, wrong: (text) => (parseDuration(text) === undefined ? 'invalid duration argument' : undefined) }),
  fn('duration(int): duration', (seconds: bigint) => durationOf(seconds * second)),
];
