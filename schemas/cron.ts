/**
 * Schedules in the words of cron: minute, hour, day of the month, month and day of the week, or a word such as `@daily`.
 * A schedule is kept as the sets of numbers that it allows.
 */

/** The times at which something is to happen. */
export type CronSchedule =
  | { readonly everyMs: number }
  | {
    readonly minutes: ReadonlySet<number>;
    readonly hours: ReadonlySet<number>;
    readonly days: ReadonlySet<number>;
    readonly months: ReadonlySet<number>;
    /** 0 is Sunday. */
    readonly weekdays: ReadonlySet<number>;
    /** When both kinds of days are restricted either one is enough, else both must fit. */
    readonly eitherDay: boolean;
  };

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const fields: readonly Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: monthNames },
  { name: 'day of the week', least: 0, most: 6, words: dayNames },
];

const shorthand: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
};

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** A length of time such as `1h30m`, in whole seconds and at least one. */
const durationMs = (text: string): number | undefined => {
  if (!/^(\d{1,9}(ms|h|m|s))+$/.test(text)) return undefined;
  const ms = [...text.matchAll(/(\d+)(ms|h|m|s)/g)].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] ?? 0), 0);
  return Math.max(1_000, Math.floor(ms / 1_000) * 1_000);
};

const numberOf = (text: string, { least, words }: Field): number | undefined => {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  const index = words?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? undefined : index + least;
};

/** The numbers that one field allows, or why it cannot be read. */
const parseField = (text: string, field: Field): ReadonlySet<number> | string => {
  const numbers = new Set<number>();
  const refuse = (part: string, why: string): string => `${field.name} ${JSON.stringify(part)}: ${why}`;
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const [from = '', to, ...rest] = range.split('-');
    if (more.length > 0 || rest.length > 0) return refuse(part, "must be a number, a range or '*', with a step behind '/' or not");
    const any = from === '*' || from === '?';
    const first = any ? field.least : numberOf(from, field);
    const last = any && to === undefined ? field.most : to === undefined ? (stepText === undefined ? first : field.most) : numberOf(to, field);
    if (first === undefined || last === undefined || (any && to !== undefined)) return refuse(part, 'is not a number that cron knows');
    const step = stepText === undefined ? 1 : /^\d{1,4}$/.test(stepText) ? Number(stepText) : 0;
    if (step === 0) return refuse(part, 'the step must be a number above 0');
    if (first < field.least || last > field.most || first > last) return refuse(part, `must lie within ${field.least} to ${field.most}, the smaller number first`);
    for (let number = first; number <= last; number += step) numbers.add(number);
  }
  return numbers;
};

/** True for a field that restricts nothing; a star with a step does. */
const isStar = (text: string): boolean => text.split(',').some((part) => /^[*?](\/1)?$/.test(part));

/** Reads a schedule. A text that is none comes back as the reason why not. */
export const parseCron = (text: string): CronSchedule | string => {
  if (text.startsWith('@every ')) {
    const everyMs = durationMs(text.slice('@every '.length).trim());
    return everyMs === undefined ? "must name a length of time behind @every (for example '@every 1h30m')" : { everyMs };
  }
  if (text.startsWith('@') && !Object.hasOwn(shorthand, text)) return `must be one of ${Object.keys(shorthand).join(', ')}, @every or five fields`;
  const parts = (shorthand[text] ?? text).trim().split(/\s+/);
  if (parts.length !== fields.length) return `must have ${fields.length} fields (${fields.map(({ name }) => name).join(', ')}), found ${parts[0] === '' ? 0 : parts.length}`;
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of fields.entries()) {
    const set = parseField(parts[index] ?? '', field);
    if (typeof set === 'string') return set;
    sets.push(set);
  }
  const [minutes, hours, days, months, weekdays] = sets as [ReadonlySet<number>, ReadonlySet<number>, ReadonlySet<number>, ReadonlySet<number>, ReadonlySet<number>];
  return { minutes, hours, days, months, weekdays, eitherDay: !isStar(parts[2] ?? '') && !isStar(parts[4] ?? '') };
};

/** The rule for the name of a time zone: one of the IANA database, such as `Europe/Paris`. */
export const whyNotTimeZone = (name: string): string | undefined => {
  if (name === '') return 'must be nil or non-empty string';
  if (name.toLowerCase() === 'local') return 'must be an explicit time zone of the IANA database (for example Europe/Paris)';
  try {
    const known = /^[A-Za-z][-+\w/]*$/.test(name) && Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
    return known ? undefined : `unknown time zone ${name}`;
  } catch {
    return `unknown time zone ${name}`;
  }
};
