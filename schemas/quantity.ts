/**
 * Quantities: `500m`, `1.5Gi`, `2e3`. A value is a whole number of billionths as a bigint, so that sums and comparisons
 * are exact; finer fractions are rounded away from zero and sizes beyond 2^63-1 are cut to it, as Kubernetes does.
 * The canonical form has no fraction and the largest suffix that needs none.
 */

/** How a quantity is written: with k, M, G; with Ki, Mi, Gi; or with an exponent. */
export type QuantityForm = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** The value in billionths. */
  readonly nano: bigint;
  readonly form: QuantityForm;
}

const billion = 1_000_000_000n;
const largest = (2n ** 63n - 1n) * billion;

/** Longest text that is taken for a quantity; keeps the arithmetic on numbers from outside small. */
const maxLength = 128;

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d{1,9})?$/;

const binaryPowers: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const decimalPowers: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalSuffixes: Readonly<Record<number, string>> = { [-9]: 'n', [-6]: 'u', [-3]: 'm', 0: '', 3: 'k', 6: 'M', 9: 'G', 12: 'T', 15: 'P', 18: 'E' };

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

const capped = (nano: bigint): bigint => (nano > largest ? largest : nano < -largest ? -largest : nano);

/** digits * 10^power in billionths, without making numbers much larger than the cap. */
const scaled = (digits: bigint, power: number): bigint => {
  if (digits === 0n) return 0n;
  const exponent = power + 9;
  if (exponent > 40) return largest;
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  return -exponent > 2 * maxLength ? 1n : divideUp(digits, 10n ** BigInt(-exponent));
};

/** A cluster writes the same few amounts again and again. */
const known = new Map<string, Quantity | undefined>();
const maxKnown = 1_000;

/** The quantity that the text means, or undefined when it is none. */
export const parseQuantity = (text: string): Quantity | undefined => {
  if (known.has(text)) return known.get(text);
  const quantity = parsed(text);
  if (known.size >= maxKnown) known.clear();
  if (text.length <= maxLength) known.set(text, quantity);
  return quantity;
};

const parsed = (text: string): Quantity | undefined => {
  const match = text.length <= maxLength ? pattern.exec(text) : null;
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  const shift = binaryPowers[suffix];
  let nano: bigint;
  let form: QuantityForm = 'DecimalSI';
  if (shift !== undefined) {
    form = 'BinarySI';
    nano = divideUp((digits << shift) * billion, 10n ** BigInt(fraction.length));
  } else {
    const named = decimalPowers[suffix];
    if (named === undefined) form = 'DecimalExponent';
    nano = scaled(digits, (named ?? Number(suffix.slice(1))) - fraction.length);
  }
  nano = capped(nano);
  return Object.freeze({ nano: sign === '-' ? -nano : nano, form });
};

/** Why the text is no quantity, or undefined. */
export const whyNotQuantity = (text: string): string | undefined =>
  parseQuantity(text) === undefined
    ? 'must be a quantity: a number, with a suffix such as m, k, M, Ki, Mi or Gi where wanted (for example 500m or 1Gi)'
    : undefined;

const magnitude = (nano: bigint): bigint => (nano < 0n ? -nano : nano);

const formatBinary = (nano: bigint): string => {
  let value = nano / billion;
  let power = 0;
  while (power < binarySuffixes.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    power++;
  }
  return `${value}${binarySuffixes[power]}`;
};

const formatDecimal = (nano: bigint, form: QuantityForm): string => {
  let value = nano;
  let power = -9;
  while (power < 18 && value % 1000n === 0n) {
    value /= 1000n;
    power += 3;
  }
  if (form === 'DecimalSI') return `${value}${decimalSuffixes[power]}`;
  return power === 0 ? `${value}` : `${value}e${power}`;
};

/** The canonical text. Binary sizes below 1 Ki or with a fraction are written in decimal, so that nothing is lost. */
export const formatQuantity = ({ nano, form }: Quantity): string => {
  if (nano === 0n) return '0';
  if (form === 'BinarySI' && magnitude(nano) >= 1024n * billion && nano % billion === 0n) return formatBinary(nano);
  return formatDecimal(nano, form === 'BinarySI' ? 'DecimalSI' : form);
};

/** The text in canonical form; a text that is no quantity stays as it is. */
export const canonicalQuantity = (text: string): string => {
  const quantity = parseQuantity(text);
  return quantity === undefined ? text : formatQuantity(quantity);
};

/** Billionths of a quantity that has been checked before; throws RangeError for anything else. Absent counts as 0. */
const nanoOf = (text: string | undefined): bigint => {
  if (text === undefined) return 0n;
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new RangeError(`${JSON.stringify(text)} is not a quantity`);
  return quantity.nano;
};

/** Below 0 when a is less than b, 0 when they mean the same amount, above 0 else. Throws RangeError when one is no quantity. */
export const compareQuantities = (a: string, b: string): number => {
  const left = nanoOf(a);
  const right = nanoOf(b);
  return left < right ? -1 : left > right ? 1 : 0;
};

const combined = (a: string, b: string, sign: bigint): string => {
  const nano = capped(nanoOf(a) + sign * nanoOf(b));
  const form = parseQuantity(nanoOf(a) === 0n ? b : a)?.form ?? 'DecimalSI';
  return formatQuantity({ nano, form });
};

/** The exact sum, written in the manner of the first that is not zero. Throws RangeError when one is no quantity. */
export const addQuantities = (a: string, b: string): string => combined(a, b, 1n);

/** The exact difference; see addQuantities. */
export const subtractQuantities = (a: string, b: string): string => combined(a, b, -1n);

const roundedUp = (nano: bigint, unit: bigint): number => Number(nano >= 0n ? divideUp(nano, unit) : nano / unit);

/** Thousandths of a CPU, rounded up: 500 for `500m` or `0.5`. Absent is 0; throws RangeError when it is no quantity. */
export const cpuMilli = (text: string | undefined): number => roundedUp(nanoOf(text), 1_000_000n);

/** Bytes, rounded up. Absent is 0; throws RangeError when it is no quantity. Exact up to 2^53. */
export const memoryBytes = (text: string | undefined): number => roundedUp(nanoOf(text), billion);

/** Whole units, rounded up: pods, huge pages, devices. Absent is 0; throws RangeError when it is no quantity. */
export const wholeUnits = memoryBytes;

/** The quantity of so many thousandths: `250m`, `2`. */
export const quantityOfMilli = (milli: number): string => formatQuantity({ nano: BigInt(Math.ceil(milli)) * 1_000_000n, form: 'DecimalSI' });

/** The quantity of so many bytes: `512Mi`. */
export const quantityOfBytes = (byteCount: number): string => formatQuantity({ nano: BigInt(Math.ceil(byteCount)) * billion, form: 'BinarySI' });
