/** Moments and lengths of time as CEL writes and bounds them. */
import { CelError } from './errors.ts';
import { CelDuration, CelTimestamp } from './values.ts';

export const second = 1_000_000_000n;
const minTimestamp = -62_135_596_800n * second;
const maxTimestamp = 253_402_300_799n * second + (second - 1n);
const int64 = 2n ** 63n;

/** Throws CelError outside of the years 1 to 9999. */
export const timestampOf = (nanos: bigint): CelTimestamp => {
  if (nanos < minTimestamp || nanos > maxTimestamp) throw new CelError('timestamp overflow');
  return new CelTimestamp(nanos);
};

/** Throws CelError beyond 63 bits of nanoseconds, about 292 years. */
export const durationOf = (nanos: bigint): CelDuration => {
  if (nanos < -int64 || nanos >= int64) throw new CelError('duration overflow');
  return new CelDuration(nanos);
};

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Reads RFC 3339; undefined for what is none or is no moment of the calendar. */
export const parseTimestamp = (text: string): CelTimestamp | undefined => {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [, date, time, fraction = '', sign, hours = '0', minutes = '0'] = match;
  const baseMs = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(baseMs) || new Date(baseMs).toISOString().slice(0, 10) !== date || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = BigInt(Number(hours) * 3600 + Number(minutes) * 60) * (sign === '-' ? -second : second);
  const nanos = BigInt(baseMs) * 1_000_000n - offset + BigInt(fraction.padEnd(9, '0'));
  return nanos < minTimestamp || nanos > maxTimestamp ? undefined : new CelTimestamp(nanos);
};

const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : (a - b + 1n) / b);

/** Milliseconds since 1970, rounded down. */
export const timestampMs = ({ nanos }: CelTimestamp): number => Number(floorDivide(nanos, 1_000_000n));

const fractionText = (nanos: bigint): string => (nanos === 0n ? '' : `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`);

/** RFC 3339 in UTC with as many digits as there are. */
export const formatTimestamp = ({ nanos }: CelTimestamp): string => {
  const seconds = floorDivide(nanos, second);
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}${fractionText(nanos - seconds * second)}Z`;
};

const units: Readonly<Record<string, bigint>> = { h: 3_600n * second, m: 60n * second, s: second, ms: 1_000_000n, us: 1_000n, µs: 1_000n, μs: 1_000n, ns: 1n };
const durationPart = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|μs|ns)/y;

/** Reads a duration as Go writes it, such as `1h30m` or `-1.5s`; undefined for what is none or too long. */
export const parseDuration = (text: string): CelDuration | undefined => {
  const negative = text.startsWith('-');
  let at = negative || text.startsWith('+') ? 1 : 0;
  if (text.length > 128 || at === text.length) return undefined;
  if (text.slice(at) === '0') return new CelDuration(0n);
  let nanos = 0n;
  while (at < text.length) {
    durationPart.lastIndex = at;
    const match = durationPart.exec(text);
    if (match === null) return undefined;
    const [whole, fraction = ''] = match[1]!.split('.');
    const unit = units[match[2]!]!;
    nanos += BigInt(whole || '0') * unit + (fraction === '' ? 0n : (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length));
    at += match[0].length;
  }
  const signed = negative ? -nanos : nanos;
  return signed < -int64 || signed >= int64 ? undefined : new CelDuration(signed);
};

/** Seconds with a fraction where there is one: `90s`, `-1.5s`. */
export const formatDuration = ({ nanos }: CelDuration): string => {
  const size = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${size / second}${fractionText(size % second)}s`;
};
