/** Cells of `get`, in the forms that kubectl's users know. */
import { timeMs } from './timestamps.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;

/**
 * A length of time as kubectl shows it, finer the shorter it is: `45s`, `2m10s`, `12m`, `3h5m`, `12h`, `2d3h`, `9d`,
 * `2y30d`, `9y`. Up to two seconds of clock difference into the future count as now.
 */
export const humanDuration = (ms: number): string => {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * minute) return `${seconds}s`;
  const minutes = Math.floor(seconds / minute);
  if (minutes < 10) return two(minutes, 'm', seconds % minute, 's');
  if (minutes < 3 * 60) return `${minutes}m`;
  const hours = Math.floor(seconds / hour);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(seconds / day);
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`;
};

/** How long ago the time was: `5s`, `3h`; `<unknown>` when there is none. */
export const age = (timestamp: string | undefined, nowMs: number): string => {
  const then = timeMs(timestamp);
  return then === undefined ? '<unknown>' : humanDuration(nowMs - then);
};

/** The text, or `<none>`. */
export const orNone = (text: string | undefined): string => (text === undefined || text === '' ? '<none>' : text);

/** A list joined by commas, or `<none>`. */
export const joined = (items: readonly string[]): string => orNone(items.join(','));

/** Labels as `a=b,c=d`, sorted by key, or `<none>`. */
export const labelsText = (labels: Readonly<Record<string, string>> | undefined): string =>
  joined(Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).sort());
