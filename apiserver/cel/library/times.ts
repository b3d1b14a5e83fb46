/** Parts of moments, in UTC or in a time zone, and of durations. */
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { second, timestampMs } from '../time.ts';
import type { CelDuration, CelTimestamp } from '../values.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

const offset = /^([+-]?)(\d\d):(\d\d)$/;

/** Formatters are dear; there are a few hundred zones, and a text that is none makes no formatter. */
const formatters = new Map<string, Intl.DateTimeFormat>();

const formatterOf = (zone: string): Intl.DateTimeFormat => {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  try {
    const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
    if (formatters.size < 1_000) formatters.set(zone, made);
    return made;
  } catch {
    throw new CelError(`unknown time zone ${zone.slice(0, 64)}`);
  }
};

/** The moment on the clocks of a zone, as a Date whose UTC parts are read. */
const localTime = (moment: CelTimestamp, zone: string): Date => {
  const ms = timestampMs(moment);
  if (zone === '' || zone === 'UTC') return new Date(ms);
  const [, sign, hours, minutes] = offset.exec(zone) ?? [];
  if (hours !== undefined) return new Date(ms + (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minuteMs);
  const part = Object.fromEntries(formatterOf(zone).formatToParts(ms).map(({ type, value }) => [type, Number(value)])) as Readonly<Record<string, number>>;
  const date = new Date(0);
  date.setUTCFullYear(part['year']!, part['month']! - 1, part['day']);
  date.setUTCHours(part['hour']!, part['minute'], part['second'], ((ms % 1_000) + 1_000) % 1_000);
  return date;
};

const dayOfYear = (date: Date): number => {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start.getTime()) / dayMs);
};

const ofMoments: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

const ofDurations: Readonly<Record<string, (nanos: bigint) => bigint>> = {
  getHours: (nanos) => nanos / (3_600n * second),
  getMinutes: (nanos) => nanos / (60n * second),
  getSeconds: (nanos) => nanos / second,
  getMilliseconds: (nanos) => (nanos % second) / 1_000_000n,
};

export const times: readonly CelFunction[] = [
  ...Object.entries(ofMoments).flatMap(([name, part]) => [
    fn(`timestamp.${name}(): int`, (moment: CelTimestamp) => BigInt(part(localTime(moment, '')))),
    fn(`timestamp.${name}(string): int`, (moment: CelTimestamp, zone: string) => BigInt(part(localTime(moment, zone)))),
  ]),
  ...Object.entries(ofDurations).map(([name, part]) => fn(`duration.${name}(): int`, ({ nanos }: CelDuration) => part(nanos))),
];
