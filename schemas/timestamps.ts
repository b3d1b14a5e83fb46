/** RFC 3339 times as the API writes them: whole seconds for most fields, microseconds for leases and event series. */

const pattern = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

interface Instant {
  /** Unix time of the whole second. */
  readonly seconds: number;
  readonly micros: number;
}

const parse = (text: string): Instant | undefined => {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (Number(year) < 100) date.setUTCFullYear(Number(year));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  let offsetSeconds = 0;
  if (zone.length > 1) {
    const hours = Number(zone.slice(1, 3));
    const minutes = Number(zone.slice(4, 6));
    if (hours > 23 || minutes > 59) return undefined;
    offsetSeconds = (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
  }
  const seconds = date.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offsetSeconds;
  return { seconds, micros: Number(fraction.padEnd(6, '0').slice(0, 6)) };
};

/** Unix milliseconds of an RFC 3339 time, or undefined when the text is none. */
export const timeMs = (text: string | undefined): number | undefined => {
  const instant = text === undefined ? undefined : parse(text);
  return instant === undefined ? undefined : instant.seconds * 1000 + Math.floor(instant.micros / 1000);
};

/** Objects that are written within one second carry the same time. */
let lastTime = '';

export const isTime = (text: string): boolean => {
  if (text === lastTime) return true;
  const right = parse(text) !== undefined;
  if (right) lastTime = text;
  return right;
};

const isoSeconds = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19);

let lastCanonical = '';

/** The time in UTC with whole seconds; a text that is no time stays as it is. */
export const canonicalTime = (text: string): string => {
  if (text === lastCanonical) return text;
  const instant = parse(text);
  return instant === undefined ? text : lastCanonical = `${isoSeconds(instant.seconds)}Z`;
};

/** The time in UTC with six digits of fraction; a text that is no time stays as it is. */
export const canonicalMicroTime = (text: string): string => {
  const instant = parse(text);
  return instant === undefined ? text : `${isoSeconds(instant.seconds)}.${String(instant.micros).padStart(6, '0')}Z`;
};
