import test from 'ava';
import * as fc from 'fast-check';
import { lastDue, nextDue } from '../../controllers/cron-job/due.ts';
import { parseCron, type CronSchedule } from '../../schemas/cron.ts';

const schedule = (text: string): CronSchedule => {
  const parsed = parseCron(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};
const iso = (ms: number | undefined): string => (ms === undefined ? 'never' : new Date(ms).toISOString().slice(0, 16));

for (const [text, after, expected, timeZone] of [
  ['*/5 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05'],
  ['*/5 * * * *', '2026-01-01T00:04:59Z', '2026-01-01T00:05'],
  ['0 0 31 * *', '2026-02-01T00:00:00Z', '2026-03-31T00:00'],
  ['0 12 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T12:00'],
  ['0 0 30 2 *', '2026-01-01T00:00:00Z', 'never'],
  ['0 0 13 * 5', '2026-02-01T00:00:00Z', '2026-02-06T00:00'],
  ['0 0 */13 * 5', '2026-02-06T00:00:00Z', '2026-02-13T00:00'],
  ['@hourly', '2026-01-01T10:59:59Z', '2026-01-01T11:00'],
  ['30 8 * * 1-5', '2026-01-02T08:30:00Z', '2026-01-05T08:30'],
  ['0 9 * * *', '2026-01-01T00:00:00Z', '2026-01-01T08:00', 'Europe/Paris'],
  ['0 9 * * *', '2026-07-01T00:00:00Z', '2026-07-01T07:00', 'Europe/Paris'],
  // Left out on the day on which summer time begins; once on the day on which it ends.
  ['30 2 * * *', '2026-03-29T00:00:00Z', '2026-03-30T00:30', 'Europe/Paris'],
  ['30 2 * * *', '2026-10-25T00:00:00Z', '2026-10-25T00:30', 'Europe/Paris'],
  ['30 2 * * *', '2026-10-25T00:30:00Z', '2026-10-26T01:30', 'Europe/Paris'],
  ['0 0 * * *', '2026-01-01T00:00:00Z', '2026-01-01T18:15', 'Asia/Kathmandu'],
  ['@every 90m', '2026-01-01T00:00:00Z', '2026-01-01T01:30'],
] as const) {
  test(`${text} after ${after}${timeZone === undefined ? '' : ` in ${timeZone}`} is due at ${expected}`, (t) => t.is(iso(nextDue(schedule(text), Date.parse(after), timeZone)), expected));
}

test('the last time that was due, and how many were missed', (t) => {
  const nowMs = Date.parse('2026-01-01T12:34:56Z');
  const last = (text: string, after: string) => lastDue(schedule(text), { afterMs: Date.parse(after), nowMs });
  t.deepEqual(last('*/5 * * * *', '2026-01-01T12:00:00Z'), { atMs: Date.parse('2026-01-01T12:30:00Z'), count: 6 });
  t.is(last('*/5 * * * *', '2026-01-01T12:30:00Z'), undefined);
  t.deepEqual(last('0 0 1 1 *', '2020-01-01T00:00:00Z'), { atMs: Date.parse('2026-01-01T00:00:00Z'), count: 6 });
  t.is(last('* * * * *', '2025-01-01T00:00:00Z')?.count, 101);
  t.deepEqual(last('@every 1h', '2026-01-01T10:00:00Z'), { atMs: Date.parse('2026-01-01T12:00:00Z'), count: 2 });
});

test('whatever comes next was last due once it has come', (t) => {
  const texts = fc.constantFrom('*/7 3-20 * * *', '0 0 1,15 * 3', '5 4 * 2,8 *', '0 2 * * 0');
  const zones = fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York', 'Australia/Lord_Howe');
  fc.assert(fc.property(texts, zones, fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }), (text, timeZone, afterMs) => {
    const next = nextDue(schedule(text), afterMs, timeZone)!;
    t.true(next > afterMs);
    t.is(lastDue(schedule(text), { afterMs, nowMs: next, timeZone })?.atMs, next);
    t.is(lastDue(schedule(text), { afterMs, nowMs: next - 1, timeZone }), undefined);
  }), { numRuns: 60 });
});
