/**
 * Certificates are renewed at a random point between half and four fifths of their life: early enough that a day without
 * the authority costs nothing, and spread, so that nodes which joined together do not all ask at once.
 */
import { X509Certificate } from 'node:crypto';
import { certificatesIn, signerAmong } from './authorities.ts';
import { sleep, type Clock } from './clock.ts';
import type { LivePair } from './live-pair.ts';
import type { LiveValue } from './live-value.ts';
import type { Log } from './log.ts';
import { readCertificate, type CertificateFacts, type CertificatePair } from './pki.ts';

/** When to renew, in Unix milliseconds; `chance` is uniform in [0, 1). */
export const renewalPointMs = ({ notBeforeMs, notAfterMs }: Pick<CertificateFacts, 'notBeforeMs' | 'notAfterMs'>, chance: number): number =>
  notBeforeMs + (notAfterMs - notBeforeMs) * (0.5 + 0.3 * chance);

const retries = { leastMs: 1_000, mostMs: 60_000 } as const;

/** How long to wait after an attempt that failed, with so much of the life left: twenty more attempts fit into it. */
export const renewalRetryMs = (leftMs: number): number => (leftMs <= 0 ? retries.mostMs : Math.min(retries.mostMs, Math.max(retries.leastMs, leftMs / 20)));

/** A machine that slept has not counted the time: the clock is looked at again after this. */
const longestNapMs = 3_600_000;

export interface RenewalOptions {
  /** For the log: whose certificate. */
  readonly name: string;
  readonly pair: LivePair;
  /** Gets a new pair and keeps it where a restart finds it. Rejects when that is not possible now. */
  readonly renew: (signal: AbortSignal) => Promise<CertificatePair>;
  /** PEM of the authorities of the cluster: a pair that the first of them has not signed is renewed at once, and no more than once for each value. */
  readonly trust?: LiveValue<string> | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Waits, but not longer than until the authorities are replaced. */
const nap = async ({ clock, trust }: RenewalOptions, afterMs: number, signal: AbortSignal): Promise<void> => {
  const woken = new AbortController();
  const off = trust?.onReplaced(() => woken.abort());
  await sleep(clock, afterMs, AbortSignal.any([signal, woken.signal]));
  off?.();
};

/** Whether the authority that signs now has signed a certificate. */
const isOfSigner = (cert: string, trust: string): boolean => signerAmong(certificatesIn(trust).slice(0, 1), new X509Certificate(cert)) !== undefined;

/** Renews a pair, again and again, until the signal aborts. One that has not been issued yet is asked for at once. */
export const keepRenewed = async (options: RenewalOptions, signal: AbortSignal): Promise<void> => {
  const { name, pair, renew, trust, clock, random, log } = options;
  /** The authorities under which the pair was issued last: whoever signed then, asking again would change nothing. */
  let issuedUnder: string | undefined;
  const isOfAnother = (): boolean => trust !== undefined && trust.current !== issuedUnder && pair.current !== undefined && !isOfSigner(pair.current.cert, trust.current);
  while (!signal.aborted) {
    const facts = pair.current === undefined ? undefined : readCertificate(pair.current.cert);
    const dueMs = facts === undefined ? clock.now() : renewalPointMs(facts, random());
    while (!signal.aborted && clock.now() < dueMs && !isOfAnother()) await nap(options, Math.min(dueMs - clock.now(), longestNapMs), signal);
    while (!signal.aborted) {
      try {
        const under = trust?.current;
        const next = await renew(signal);
        issuedUnder = under;
        pair.replace(next);
        log.info('a certificate was issued', { certificate: name, until: new Date(readCertificate(next.cert).notAfterMs).toISOString() });
        break;
      } catch (error) {
        if (signal.aborted) return;
        const afterMs = renewalRetryMs((facts?.notAfterMs ?? Infinity) - clock.now());
        log.warn('a certificate could not be issued, trying again', { certificate: name, until: facts === undefined ? undefined : new Date(facts.notAfterMs).toISOString(), retryAfterMs: afterMs, error });
        await sleep(clock, afterMs, signal);
      }
    }
  }
};
