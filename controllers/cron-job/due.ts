/**
 * When a cron schedule is due, in a time zone. Days are walked in the zone's own calendar and their times turned into
 * instants, so that a schedule means wall-clock time all year round. A time that a change to summer time leaves out does
 * not happen that day; of one that comes twice the first counts.
 */
import type { CronSchedule } from '../../schemas/cron.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** As far as a schedule is looked for: 29 February comes every 4 to 8 years. */
const farthestDays = 366 * 8 + 2;

const formats = new Map<string, Intl.DateTimeFormat>();

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
    formats.set(timeZone, format);
  }
  return format;
};

/** The zone's wall clock at an instant, as the Unix milliseconds at which UTC shows the same. */
const wallMs = (atMs: number, timeZone: string): number => {
  if (timeZone === 'UTC') return Math.floor(atMs / 1000) * 1000;
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) part[type] = Number(value);
  return Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute'], part['second']);
};

/** The first instant at which the zone's wall clock shows this; undefined for a time that is left out. */
const instantOf = (wall: number, timeZone: string): number | undefined => {
  const offsets = [wall - dayMs, wall + dayMs].map((near) => wallMs(near, timeZone) - near);
  return offsets.map((offset) => wall - offset).filter((atMs) => wallMs(atMs, timeZone) === wall).sort((a, b) => a - b)[0];
};

type Fields = Exclude<CronSchedule, { readonly everyMs: number }>;

const dayFits = ({ days, months, weekdays, eitherDay }: Fields, dayStart: number): boolean => {
  const date = new Date(dayStart);
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const [byDay, byWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return eitherDay ? byDay || byWeekday : byDay && byWeekday;
};

/** The instants of one day of the zone's calendar, in order; the day is named by its start as UTC would write it. */
const timesOf = (schedule: Fields, dayStart: number, timeZone: string): readonly number[] => {
  if (!dayFits(schedule, dayStart)) return [];
  const times: number[] = [];
  for (const hour of schedule.hours) {
    for (const minute of schedule.minutes) {
      const atMs = instantOf(dayStart + (hour * 60 + minute) * minuteMs, timeZone);
      if (atMs !== undefined) times.push(atMs);
    }
  }
  return times.sort((a, b) => a - b);
};

const dayOf = (atMs: number, timeZone: string): number => Math.floor(wallMs(atMs, timeZone) / dayMs) * dayMs;

/** The first time after an instant; undefined for a schedule that never comes, such as 30 February. */
export const nextDue = (schedule: CronSchedule, afterMs: number, timeZone = 'UTC'): number | undefined => {
  if ('everyMs' in schedule) return Math.floor(afterMs / 1000) * 1000 + schedule.everyMs;
  let day = dayOf(afterMs, timeZone);
  for (let looked = 0; looked < farthestDays; looked++, day += dayMs) {
    const found = timesOf(schedule, day, timeZone).find((atMs) => atMs > afterMs);
    if (found !== undefined) return found;
  }
  return undefined;
};

export interface LastDue {
  readonly atMs: number;
  /** Times that were due since `afterMs`, this one included; no more than `most` are counted. */
  readonly count: number;
}

/** The last time after one instant and not after another, and how many there were. */
export const lastDue = (schedule: CronSchedule, { afterMs, nowMs, timeZone = 'UTC', most = 101 }: { readonly afterMs: number; readonly nowMs: number; readonly timeZone?: string | undefined; readonly most?: number }): LastDue | undefined => {
  if ('everyMs' in schedule) {
    const count = Math.floor((nowMs - Math.floor(afterMs / 1000) * 1000) / schedule.everyMs);
    return count < 1 ? undefined : { atMs: Math.floor(afterMs / 1000) * 1000 + count * schedule.everyMs, count: Math.min(count, most) };
  }
  let last: number | undefined;
  let count = 0;
  let day = dayOf(nowMs, timeZone);
  for (let looked = 0; looked < farthestDays && day >= dayOf(afterMs, timeZone) && count < most; looked++, day -= dayMs) {
    const times = timesOf(schedule, day, timeZone).filter((atMs) => atMs > afterMs && atMs <= nowMs);
    last ??= times.at(-1);
    count += times.length;
  }
  return last === undefined ? undefined : { atMs: last, count: Math.min(count, most) };
};
