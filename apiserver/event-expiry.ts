/**
 * Events are deleted an hour after they were last written, as in Kubernetes: they are for people who look now, and a store
 * that is written for ever must not grow by them. A sweep looks at the objects of the cache, once in a while: at 10,000
 * events it takes a few milliseconds. When an event was written is not stored; what it says of itself stands for
 * that at the first look, and a new version counts from the look that finds it.
 */
import { sleep, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ApiList, Transport } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import type { Event } from '../schemas/kinds/core/event.ts';

export interface EventExpiryOptions {
  /** The API as somebody may see it who may list and delete events everywhere. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** How long an event stays after its last write; an hour where absent. */
  readonly eventTtlMs?: number | undefined;
}

const hourMs = 3_600_000;
/** Sweeps within one lifetime: an event stays at most this part longer. */
const sweepsPerTtl = 30;
/** Deletions at a time; enough to share the store's group commits. */
const parallel = 32;

/** The last moment that an event speaks of, but not one that is still to come. */
const lastWordMs = ({ metadata, firstTimestamp, lastTimestamp, eventTime, series }: Event, nowMs: number): number => {
  const said = [metadata.creationTimestamp, firstTimestamp, lastTimestamp, eventTime, series?.lastObservedTime].map((time) => Date.parse(time ?? ''));
  return Math.min(nowMs, Math.max(0, ...said.filter((ms) => !Number.isNaN(ms))));
};

/** Deletes old events until the signal aborts. */
export const expireEvents = async ({ transport, clock, log, eventTtlMs = hourMs }: EventExpiryOptions, signal: AbortSignal): Promise<void> => {
  const at = { group: '', version: 'v1', resource: 'events' };
  /** When each version was written, as far as is known. Versions are objects of their own, shared with the cache. */
  const written = new WeakMap<Event, number>();

  const isOld = (event: Event): boolean => {
    let writtenMs = written.get(event);
    if (writtenMs === undefined) written.set(event, writtenMs = lastWordMs(event, clock.now()));
    return writtenMs + eventTtlMs <= clock.now();
  };

  const remove = async ({ metadata: { namespace, name, uid, resourceVersion } }: Event): Promise<void> => {
    try {
      await transport.send({ ...at, verb: 'delete', namespace, name, options: { preconditions: { uid, resourceVersion } } });
    } catch (error) {
      // Somebody wrote it anew, or was faster.
      if (!isReason(error, 'NotFound', 'Conflict')) throw error;
    }
  };

  const sweep = async (): Promise<void> => {
    const { items } = (await transport.send({ ...at, verb: 'list', options: { resourceVersion: '0' } })).body as ApiList<Event>;
    const old = items.filter(isOld);
    for (let from = 0; from < old.length && !signal.aborted; from += parallel) await Promise.all(old.slice(from, from + parallel).map(remove));
    if (old.length > 0) log.debug('old events were deleted', { count: old.length });
  };

  while (!signal.aborted) {
    await sweep().catch((error: unknown) => {
      if (!signal.aborted) log.error('old events could not be deleted', { error });
    });
    await sleep(clock, eventTtlMs / sweepsPerTtl, signal);
  }
};
