/**
 * Of several processes that could do a work, one does it: the one that holds a Lease, as Kubernetes' controllers elect
 * theirs. The holder renews it; when it has not been able to for a time, it stops by itself, and later than that the others take
 * over. No clock is compared with another machine's: a lease has ended when it has not changed for its whole time while
 * one looked at it.
 */
import { rfc3339Micro, sleep, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Transport } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import { Lease } from '../schemas/kinds/coordination/lease.ts';
import { boundTransport } from './bound-transport.ts';
import { createClient, type Key } from './client.ts';
import { warnOfFailure } from './outage.ts';

export interface ElectionOptions {
  /** As somebody who may hold leases. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** The lease. */
  readonly key: Key;
  /** Who this is; no two processes may say the same. */
  readonly identity: string;
}

/** Kubernetes' numbers: a lease of 15 s, renewed every 2 s, given up by its holder after 10 s without success. */
export const electionTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 } as const;

/** What is known of a lease, and since when it has not changed. */
export interface Seen {
  readonly resourceVersion: string;
  readonly sinceMs: number;
}

/** True when a lease may be taken: nobody holds it, or its holder has been silent for its whole time. */
export const isFree = ({ spec }: Lease, seen: Seen, nowMs: number): boolean =>
  (spec?.holderIdentity ?? '') === '' || nowMs - seen.sinceMs >= (spec?.leaseDurationSeconds ?? 0) * 1_000;

/**
 * Does the work whenever this process holds the lease, until the signal aborts; the work's own signal aborts when the
 * lease is lost. A lease that is held at the end is given back, so that another need not wait. Rejects with what the
 * work throws.
 */
export const leadWhile = async (options: ElectionOptions, signal: AbortSignal, work: (leading: AbortSignal) => Promise<void>): Promise<void> => {
  const { clock, log, key, identity } = options;
  for (let seen: Seen | undefined; !signal.aborted;) {
    const candidate = new Candidate(options);
    try {
      seen = await candidate.tryTake(seen);
    } catch (error) {
      if (signal.aborted) return;
      log.debug('cannot look at the lease', { error, lease: key.name });
    }
    if (!candidate.holds) {
      await sleep(clock, electionTimes.retryMs, signal);
      continue;
    }
    log.info('leads', { lease: key.name, identity });
    await lead(candidate, options, signal, work);
    seen = undefined;
    if (!signal.aborted) log.warn('does not lead any more', { lease: key.name, identity });
  }
};

/** Works and renews, until one of both ends. */
const lead = async (candidate: Candidate, { clock, log, key }: ElectionOptions, signal: AbortSignal, work: (leading: AbortSignal) => Promise<void>): Promise<void> => {
  const stop = new AbortController();
  const leading = AbortSignal.any([signal, stop.signal]);
  let giveUp = clock.after(electionTimes.renewDeadlineMs, () => stop.abort());
  const renewing = (async () => {
    for (await sleep(clock, electionTimes.retryMs, leading); !leading.aborted; await sleep(clock, electionTimes.retryMs, leading)) {
      const askedMs = clock.now();
      try {
        await candidate.renew(leading);
        giveUp();
        giveUp = clock.after(electionTimes.renewDeadlineMs - (clock.now() - askedMs), () => stop.abort());
      } catch (error) {
        // Somebody else has it: there is no doubt to wait for.
        if (isReason(error, 'Conflict', 'NotFound')) stop.abort();
        else if (!leading.aborted) warnOfFailure(log, 'cannot renew the lease; trying again', { error, lease: key.name });
      }
    }
  })();
  try {
    await work(leading);
    if (!leading.aborted) throw new Error(`the work under the lease ${key.name} ended by itself`);
  } finally {
    stop.abort();
    giveUp();
    await renewing;
    await candidate.giveBack();
  }
};

/** One process before a lease, and while it holds it. */
class Candidate {
  readonly #options: ElectionOptions;
  /** As this process wrote it last; undefined while it does not hold it. */
  #held: Lease | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get holds(): boolean {
    return this.#held !== undefined;
  }

  /** Takes the lease if it is free; gives what was seen of it otherwise. */
  async tryTake(before: Seen | undefined): Promise<Seen | undefined> {
    const { transport, clock, key } = this.#options;
    const leases = createClient(transport).of(Lease);
    const lease = await leases.find(key);
    const nowMs = clock.now();
    try {
      if (lease === undefined) {
        this.#held = await leases.create({ metadata: { ...key }, spec: this.#spec(undefined) });
        return undefined;
      }
      const { resourceVersion = '' } = lease.metadata;
      const seen = before?.resourceVersion === resourceVersion ? before : { resourceVersion, sinceMs: nowMs };
      if (!isFree(lease, seen, nowMs)) return seen;
      this.#held = await leases.update({ ...lease, spec: this.#spec(lease) });
    } catch (error) {
      // Another was faster.
      if (!isReason(error, 'AlreadyExists', 'Conflict', 'NotFound')) throw error;
    }
    return undefined;
  }

  /** Rejects with Conflict when the lease was changed by anybody else. */
  async renew(signal: AbortSignal): Promise<void> {
    const held = this.#held!;
    try {
      this.#held = await createClient(boundTransport(this.#options.transport, signal)).of(Lease).update({ ...held, spec: { ...held.spec, renewTime: this.#now() } });
    } catch (error) {
      // The store may have done it without our hearing so; then the lease is ours as it stands there.
      if (!isReason(error, 'Conflict')) throw error;
      const lease = await createClient(this.#options.transport).of(Lease).get(this.#options.key);
      if (lease.spec?.holderIdentity !== this.#options.identity) throw error;
      this.#held = lease;
    }
  }

  async giveBack(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    // Where this fails, the others wait for the lease to end.
    await createClient(this.#options.transport).of(Lease).update({ ...held, spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() } })
      .catch((error: unknown) => this.#options.log.debug('the lease could not be given back', { error, lease: this.#options.key.name }));
  }

  #spec(before: Lease | undefined): NonNullable<Lease['spec']> {
    const now = this.#now();
    const transitions = (before?.spec?.leaseTransitions ?? -1) + 1;
    return { holderIdentity: this.#options.identity, leaseDurationSeconds: electionTimes.leaseMs / 1_000, acquireTime: now, renewTime: now, leaseTransitions: transitions };
  }

  #now(): string {
    return rfc3339Micro(this.#options.clock.now());
  }
}
