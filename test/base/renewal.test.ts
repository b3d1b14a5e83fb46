import test from 'ava';
import * as fc from 'fast-check';
import { LivePair } from '../../base/live-pair.ts';
import { LiveValue } from '../../base/live-value.ts';
import { silentLog } from '../../base/log.ts';
import { createCa, issueCertificate, readCertificate, type CertificatePair } from '../../base/pki.ts';
import { keepRenewed, renewalPointMs, renewalRetryMs } from '../../base/renewal.ts';
import { FakeClock } from '../helpers/fake-clock.ts';

const minuteMs = 60_000;

test('the point of renewal lies between half and four fifths of a life, wherever chance falls', (t) => {
  t.is(renewalPointMs({ notBeforeMs: 1_000, notAfterMs: 2_000 }, 0), 1_500);
  t.true(renewalPointMs({ notBeforeMs: 1_000, notAfterMs: 2_000 }, 0.999_999) < 1_800);
  fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 13 }), fc.integer({ min: 1_000, max: 10 ** 12 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (notBeforeMs, lifeMs, chance) => {
    const share = (renewalPointMs({ notBeforeMs, notAfterMs: notBeforeMs + lifeMs }, chance) - notBeforeMs) / lifeMs;
    return share > 0.499 && share < 0.801;
  }));
});

test('an attempt that failed is tried again in good time', (t) => {
  for (const [leftMs, afterMs] of [[Infinity, 60_000], [3_600_000, 60_000], [100_000, 5_000], [2_000, 1_000], [0, 60_000], [-5, 60_000]] as const) t.is(renewalRetryMs(leftMs), afterMs);
});

const world = async (lifetimeMinutes: number) => {
  const clock = new FakeClock();
  const ca = await createCa({ commonName: 'ca', lifetimeDays: 10, nowMs: clock.now() });
  const issue = (): Promise<CertificatePair> => issueCertificate({ ca, commonName: 'n', usages: ['client'], lifetimeDays: lifetimeMinutes / 1_440, nowMs: clock.now() });
  /** Issuing takes real time: the clock waits until it is done. */
  let issuing = Promise.resolve() as Promise<unknown>;
  const counted = { tries: 0, failing: false };
  const renew = (): Promise<CertificatePair> => {
    counted.tries++;
    const one = counted.failing ? Promise.reject(new Error('the server is away')) : issue();
    issuing = one.catch(() => undefined);
    return one;
  };
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 15_000) {
      await clock.advance(15_000);
      await issuing;
      await clock.advance(0);
    }
  };
  return { clock, ca, issue, renew, pass, counted };
};

test('a certificate of ten minutes is always valid while hours pass, and is not renewed more often than needed', async (t) => {
  const { clock, issue, renew, pass, counted } = await world(10);
  const pair = new LivePair(await issue());
  const seen = new Set<string>();
  pair.onReplaced(() => seen.add(pair.pair.cert));
  const stop = new AbortController();
  let turn = 0;
  const running = keepRenewed({ name: 'test', pair, renew, clock, random: () => [0, 0.5, 0.99][turn++ % 3]!, log: silentLog }, stop.signal);
  for (let minutes = 0; minutes < 120; minutes++) {
    await pass(minuteMs);
    const { notBeforeMs, notAfterMs } = readCertificate(pair.pair.cert);
    t.true(clock.now() >= notBeforeMs && clock.now() < notAfterMs, `valid after ${minutes} minutes`);
  }
  t.true(counted.tries >= 14 && counted.tries <= 26, `${counted.tries} renewals in two hours`);
  t.is(seen.size, counted.tries);
  stop.abort();
  await running;
});

test('a renewal goes on trying while the authority is away, and one that is missing is asked for at once', async (t) => {
  const { clock, renew, pass, counted } = await world(10);
  const pair = new LivePair(undefined);
  const stop = new AbortController();
  const running = keepRenewed({ name: 'test', pair, renew, clock, random: () => 0.5, log: silentLog }, stop.signal);
  await pass(15_000);
  t.is(counted.tries, 1);
  const first = pair.pair.cert;
  counted.failing = true;
  await pass(8 * minuteMs);
  t.is(pair.pair.cert, first);
  t.true(counted.tries >= 4, 'tried again and again');
  counted.failing = false;
  await pass(minuteMs);
  t.not(pair.pair.cert, first);
  stop.abort();
  await running;
});

test('where another authority signs a certificate is renewed at once, and once only where that changes nothing', async (t) => {
  const { clock, ca, issue, renew, pass, counted } = await world(10);
  const pair = new LivePair(await issue());
  const trust = new LiveValue(ca.cert);
  const stop = new AbortController();
  const running = keepRenewed({ name: 'test', pair, renew, trust, clock, random: () => 0.5, log: silentLog }, stop.signal);
  await pass(minuteMs);
  t.is(counted.tries, 0, 'of the one that signs');
  const next = await createCa({ commonName: 'ca', lifetimeDays: 10, nowMs: clock.now() });
  for (const [authorities, tries] of [[`${next.cert}${ca.cert}`, 1], [next.cert, 2], [ca.cert, 2]] as const) {
    trust.replace(authorities);
    await pass(minuteMs);
    t.is(counted.tries, tries);
  }
  stop.abort();
  await running;
});
