/** The formats of custom schemas that are checked: those that Kubernetes knows. Others say something to people only. */
import { isIPv4, isIPv6 } from 'node:net';
import { whyNotCidr } from '../names.ts';
import { isTime } from '../timestamps.ts';

type Test = (text: string) => boolean;

const matches = (pattern: RegExp): Test => (text) => pattern.test(text);

const isUri: Test = (text) => /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) ? URL.canParse(text) || /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]*$/.test(text) : text.startsWith('/') && !/\s/.test(text);

const isHostname: Test = (text) =>
  text.length <= 255 && text.split('.').every((part) => part.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$/.test(part));

const isDate: Test = (text) => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
};

/** Durations of Go (`1h30m`, `1.5s`) and, as Kubernetes takes them, words such as `3 days`. */
const isDuration: Test = (text) =>
  /^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text) || /^\d+ ?(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$/.test(text);

const digits = (text: string): string => text.replaceAll(/[- ]/g, '');

const isIsbn10: Test = (text) => {
  const word = digits(text);
  if (!/^\d{9}[\dX]$/.test(word)) return false;
  return [...word].reduce((sum, letter, at) => sum + (10 - at) * (letter === 'X' ? 10 : Number(letter)), 0) % 11 === 0;
};

const isIsbn13: Test = (text) => {
  const word = digits(text);
  return /^\d{13}$/.test(word) && [...word].reduce((sum, letter, at) => sum + Number(letter) * (at % 2 === 0 ? 1 : 3), 0) % 10 === 0;
};

/** Luhn's check over 12 to 19 digits. */
const isCreditCard: Test = (text) => {
  const word = digits(text);
  if (!/^\d{12,19}$/.test(word)) return false;
  return [...word].toReversed().reduce((sum, letter, at) => {
    const twice = Number(letter) * (at % 2 === 0 ? 1 : 2);
    return sum + (twice > 9 ? twice - 9 : twice);
  }, 0) % 10 === 0;
};

const uuid = (version: string): Test => matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'));

/** What strings of each format must be; values of other types pass. */
export const stringFormats: Readonly<Record<string, Test>> = {
  'bsonobjectid': matches(/^[0-9a-f]{24}$/i), 'uri': isUri, 'email': matches(/^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+$/), 'hostname': isHostname, 'ipv4': isIPv4, 'ipv6': isIPv6,
  'cidr': (text) => whyNotCidr(text) === undefined, 'mac': matches(/^([0-9a-f]{2}([-:]))([0-9a-f]{2}\2){4,6}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$/i),
  'uuid': uuid('[0-9a-f]'), 'uuid3': uuid('3'), 'uuid4': uuid('4'), 'uuid5': uuid('5'), 'isbn10': isIsbn10, 'isbn13': isIsbn13, 'isbn': (text) => isIsbn10(text) || isIsbn13(text),
  'creditcard': isCreditCard, 'ssn': matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/), 'hexcolor': matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  'rgbcolor': matches(/^rgb\(\s*(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\s*(,\s*(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)$/),
  'byte': (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text), 'password': () => true, 'date': isDate, 'duration': isDuration,
  'datetime': isTime, 'date-time': isTime,
};

/** What numbers of each format must be. */
export const numberFormats: Readonly<Record<string, (value: number) => boolean>> = {
  int32: (value) => value >= -(2 ** 31) && value < 2 ** 31, int64: (value) => value >= -(2 ** 63) && value <= 2 ** 63, float: (value) => Math.abs(value) <= 3.4028234663852886e38, double: () => true,
};
