import { rfc3339, sleep, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { isReason } from '../schemas/errors.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { Event } from '../schemas/kinds/core/event.ts';
import { backoffMs } from './backoff.ts';
import type { Client } from './client.ts';
import { EventCorrelator, type EventFacts } from './event-correlator.ts';

/** What an event is about. `fieldPath` names a container: `spec.containers{web}`. */
export type EventSubject = ApiObject & { readonly fieldPath?: string };

/**
 * EventRecorder tells users what a component did and why, as Event objects. It never blocks and never throws: events
 * that cannot be written are logged and dropped. The same event again raises the count of the first.
 */
export interface EventRecorder {
  event(subject: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Who reports: `source.component` and `reportingComponent`. */
  readonly component: string;
  /** The node on which it happens; absent for components of the whole cluster. */
  readonly host?: string;
  /** Events after it are dropped, and one that is being written is not tried again. */
  readonly signal: AbortSignal;
}

/**
 * As many as wait to be written at most; as many as are written at a time (those about one object one after the other, in
 * their order); the API's limits on an event's texts; the tries when the server cannot answer.
 */
const limits = { queue: 4_000, lanes: 8, messageLength: 1_024, reasonLength: 128, nameLength: 253, attempts: 5 } as const;
const retry = { firstMs: 500, longestMs: 10_000, jitter: 0.5 } as const;

interface Pending { readonly facts: EventFacts; readonly atMs: number; readonly resourceVersion: string | undefined }

export const createEventRecorder = (options: EventRecorderOptions): EventRecorder => {
  const { clock, log, signal } = options;
  const correlator = new EventCorrelator();
  const lanes = Array.from({ length: limits.lanes }, (): { readonly queue: Pending[]; writing: boolean } => ({ queue: [], writing: false }));
  let waiting = 0;
  let dropped = 0;

  const drain = async (lane: { readonly queue: Pending[]; writing: boolean }): Promise<void> => {
    lane.writing = true;
    for (let pending = lane.queue.shift(); pending !== undefined && !signal.aborted; pending = lane.queue.shift()) {
      waiting--;
      try {
        await write(options, correlator, pending);
      } catch (error) {
        if (signal.aborted) break;
        const { reason, message, involved } = pending.facts;
        const fields = { reason, message, kind: involved.kind, namespace: involved.namespace, name: involved.name, error };
        // A namespace that is gone or going takes no new events, which is as it should be.
        if (isReason(error, 'NotFound', 'Forbidden')) log.debug('an event was refused', fields);
        else log.warn('an event could not be written', fields);
      }
    }
    lane.writing = false;
    if (waiting === 0 && dropped > 0 && !signal.aborted) {
      log.warn('events were dropped, as too many waited to be written', { dropped });
      dropped = 0;
    }
  };

  return {
    event: (subject, type, reason, message) => {
      if (signal.aborted) return;
      if (waiting >= limits.queue) {
        dropped++;
        return;
      }
      const { apiVersion, kind, metadata: { namespace, name = '', uid, resourceVersion } } = subject;
      const involved = { apiVersion, kind, namespace, name, uid, fieldPath: subject.fieldPath };
      const facts = { namespace: namespace ?? 'default', involved, type, reason: reason.slice(0, limits.reasonLength), message: message.slice(0, limits.messageLength) };
      const lane = lanes[laneOf(uid ?? name)];
      if (lane === undefined) return;
      waiting++;
      lane.queue.push({ facts, atMs: clock.now(), resourceVersion });
      if (!lane.writing) void drain(lane);
    },
  };
};

/** Spreads objects over the lanes, each always to the same one. */
const laneOf = (text: string): number => {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (hash * 31 + text.charCodeAt(at)) | 0;
  return Math.abs(hash) % limits.lanes;
};

/** Raises the count of the event that stands for this one, or makes a new one; tries again while the server is away. */
const write = async (options: EventRecorderOptions, correlator: EventCorrelator, pending: Pending): Promise<void> => {
  const { facts, atMs } = pending;
  const events = options.client.of(Event);
  const verdict = correlator.judge(facts, atMs);
  if (verdict.drop) return;
  let recorded = verdict.recorded;
  for (let attempt = 1; ; attempt++) {
    try {
      if (recorded !== undefined) {
        const count = recorded.count + 1;
        await events.patch({ namespace: facts.namespace, name: recorded.name }, 'merge', { count, lastTimestamp: rfc3339(atMs), message: verdict.message });
        correlator.record(verdict.id, { name: recorded.name, count });
      } else {
        const event = newEvent(options, pending, verdict.message);
        await events.create(event);
        correlator.record(verdict.id, { name: event.metadata.name, count: 1 });
      }
      return;
    } catch (error) {
      if (recorded !== undefined && isReason(error, 'NotFound')) {
        correlator.forget(verdict.id);
        recorded = undefined;
        continue;
      }
      const passing = isReason(error, 'ServiceUnavailable', 'Timeout', 'TooManyRequests', 'InternalError', 'AlreadyExists', 'Conflict');
      if (!passing || attempt >= limits.attempts || options.signal.aborted) throw error;
      await sleep(options.clock, backoffMs(attempt, { ...retry, random: options.random }), options.signal);
    }
  }
};

const newEvent = ({ component, host, random }: EventRecorderOptions, { facts, atMs, resourceVersion }: Pending, message: string) => {
  // The name is the subject's and a time in nanoseconds; chance fills the digits that a millisecond clock lacks.
  const suffix = (BigInt(Math.trunc(atMs)) * 1_000_000n + BigInt(Math.floor(random() * 1_000_000))).toString(16);
  const name = `${facts.involved.name.slice(0, limits.nameLength - suffix.length - 1).replace(/[^a-z0-9]+$/, '')}.${suffix}`;
  const time = rfc3339(atMs);
  return {
    metadata: { name, namespace: facts.namespace },
    involvedObject: { ...facts.involved, resourceVersion },
    reason: facts.reason, message, type: facts.type, count: 1, firstTimestamp: time, lastTimestamp: time,
    source: { component, host }, reportingComponent: component, reportingInstance: host ?? component,
  };
};
