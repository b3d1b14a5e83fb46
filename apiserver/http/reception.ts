/**
 * What happens to every request, whatever it asks for: it is let in when there is room for it (fair-lanes.ts), it is
 * given up after its time, and it is counted when it ends. docs/design/fairness.md tells how the parts fit.
 *
 * Times cost no timer a request: those that are under way are looked through once a second.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Counter, Family, Metrics } from '../../base/metrics/metrics.ts';
import type { ResourcePath } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Auditor } from '../audit/auditor.ts';
import { Bag, type InBag } from './bag.ts';
import { announcesBody } from './body.ts';
import { asApiError, type Exchange } from './exchange.ts';
import { auditExchange, auditFailure, auditStranger } from './http-audit.ts';
import type { FairLane, Place } from './fair-lanes.ts';
import { InFlight, occupationOf, type InFlightLimits, type Occupation } from './in-flight.ts';
import { linger } from './linger.ts';
import { replyError } from './reply.ts';
import { RequestMetrics } from './request-metrics.ts';
import { requestTimeoutMs } from './request-timeout.ts';

export interface ReceptionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly inFlight: InFlightLimits;
  /** Longest time for a request that is no watch and no stream, from its arrival to the last byte of its answer. */
  readonly timeoutMs: number;
  readonly metrics: Metrics;
  /** Writes down who does what; nothing is written where absent. */
  readonly auditor?: Auditor | undefined;
  /** Milliseconds from any start, in fractions; durations are measured by it. */
  readonly stopwatch: () => number;
}

/** Exchange without an answer of HTTP: one that is to be upgraded. */
export type Arrival = Omit<Exchange, 'response'>;

interface Visit extends InBag {
  readonly arrival: Arrival;
  readonly path: ResourcePath | undefined;
  readonly occupation: Occupation;
  readonly startedMs: number;
  readonly deadlineMs: number;
  lane: FairLane | undefined;
  room: Place | undefined;
  /** True when an answer was given that is not the handler's, or none is wanted any more. */
  givenUp: boolean;
  /** Of a stream that left HTTP. */
  readonly socket?: Duplex;
}

const sweepMs = 1_000;
/** Largest body that is read and dropped behind an answer that refuses it. */
const readPastBytes = 64 * 1024;
/** What a client that went away before its answer is counted as; no such answer is ever sent. */
const clientGone = 499;
const healthPath = /^\/(healthz|livez|readyz)(\/|$)/;

const tooMany = (why: string, retryAfterSeconds: number): ApiError =>
  new ApiError('TooManyRequests', `too many requests of this user or of all are under way (${why}); please try again later`, { retryAfterSeconds });

const tooLate = (): ApiError => new ApiError('Timeout', 'the request was not done within its time; it may or may not have been carried out');

export class Reception {
  readonly requests: RequestMetrics;
  readonly #options: ReceptionOptions;
  readonly #inFlight: InFlight;
  /** Requests under way that have a deadline. */
  readonly #underWay = new Bag<Visit>();
  readonly #staying = new Set<Visit>();
  readonly #refused: Family<Counter>;
  readonly #timedOut: Counter;
  #exempt: Record<Occupation, number> = { mutating: 0, readOnly: 0, longRunning: 0 };
  #cancelSweep: (() => void) | undefined;
  #draining = false;

  constructor(options: ReceptionOptions) {
    const { metrics, clock, inFlight } = options;
    this.#options = options;
    this.#inFlight = new InFlight(inFlight, clock);
    this.requests = new RequestMetrics(metrics);
    this.#refused = metrics.counter({ name: 'apiserver_dropped_requests_total', help: 'Requests that were refused because there was no room for them.', labels: ['request_kind'] });
    this.#timedOut = metrics.counter({ name: 'apiserver_request_timeouts_total', help: 'Requests that were given up after their time.' }).of();
    const current = metrics.gauge({ name: 'apiserver_current_inflight_requests', help: 'Requests that are carried out now.', labels: ['request_kind'] });
    const waiting = metrics.gauge({ name: 'apiserver_current_inqueue_requests', help: 'Requests that wait for their turn.', labels: ['request_kind'] });
    metrics.beforeRead(() => {
      for (const occupation of ['mutating', 'readOnly'] as const) {
        const count = this.#inFlight.count(occupation);
        current.of(occupation).set(count.running + this.#exempt[occupation]);
        waiting.of(occupation).set(count.waiting);
      }
      this.requests.clearLongRunning();
      for (const visit of this.#staying) this.#seriesOf(visit).open.add();
    });
  }

  /** Serves a request by `handle`, which resolves when it has written its answer. Throws for a timeout that cannot be read. */
  receive(exchange: Exchange, path: ResourcePath | undefined, handle: () => Promise<void>): void {
    const visit = this.#arrive(exchange, path, occupationOf(exchange.request.method ?? 'GET', path, exchange.query));
    if (this.#draining) exchange.response.shouldKeepAlive = false;
    if (exchange.audit !== undefined) exchange.response.setHeader('Audit-Id', exchange.audit.id);
    if (visit.lane !== undefined && (visit.room = visit.lane.enter(exchange.user.name)) === undefined) {
      void this.#inTurn(visit, visit.lane, exchange, handle);
      return;
    }
    void this.#serve(visit, exchange, handle);
  }

  /** As `receive`, for a request that becomes a stream. The handler answers on the socket and resolves when it is open; it rejects with what is to be answered. */
  async upgrade(arrival: Arrival, path: ResourcePath, socket: Duplex, handle: () => Promise<void>): Promise<void> {
    const visit: Visit = { ...this.#arrive(arrival, path, 'longRunning'), socket };
    if (visit.lane !== undefined && (visit.room = visit.lane.enter(arrival.user.name)) === undefined) {
      this.#refused.of(visit.occupation).add();
      const error = tooMany('watches and streams', 5);
      auditFailure(arrival.audit, error);
      this.#count(visit, error.code);
      throw error;
    }
    this.#begin(visit);
    let code = 101;
    const end = (): void => this.#end(visit, code);
    try {
      socket.once('close', end);
      await handle();
      arrival.audit?.started(code);
    } catch (error) {
      auditFailure(arrival.audit, error);
      code = error instanceof ApiError ? error.code : 500;
      throw error;
    }
  }

  /** Answers a request that is refused before it is received: nobody knows who asks, or it cannot be read. */
  turnAway(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const audit = this.#options.auditor === undefined ? undefined : auditStranger(this.#options.auditor, request);
    if (audit !== undefined) response.setHeader('Audit-Id', audit.id);
    auditFailure(audit, error);
    this.fail(request, response, error);
    audit?.completed(response.statusCode);
    this.requests.seriesOf({ method: request.method ?? '', pathname: '', path: undefined, route: undefined, query: undefined, contentType: undefined }).ended(response.statusCode, 0, 'counted');
  }

  /** Answers with the Status of what went wrong; what is no ApiError is logged and told without details. */
  fail(request: IncomingMessage, response: ServerResponse, error: unknown, headers: OutgoingHttpHeaders = {}): void {
    const known = asApiError(error, this.#options.log, request);
    // Node reads past the little that nobody read; who sends much or without an end loses his connection instead.
    const unread = !request.complete && announcesBody(request) && request.method !== 'GET' && request.method !== 'HEAD' && !(Number(request.headers['content-length']) <= readPastBytes);
    if (!unread) return replyError(response, known, headers);
    replyError(response, known, { ...headers, Connection: 'close' }, (body) => {
      response.write(body);
      linger(request, this.#options.clock, () => response.end());
    });
  }

  /** From now on each answer tells its client to connect anew, elsewhere or later. */
  drain(): void {
    this.#draining = true;
    for (const { arrival } of this.#underWay.all()) (arrival as Exchange).response.shouldKeepAlive = false;
  }

  /** Cuts the streams that have left HTTP, which Node's server knows no more. */
  cutStreams(): void {
    for (const { socket } of this.#staying) socket?.destroy();
  }

  /** Looks at no more times. */
  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = () => undefined;
  }

  #arrive(arrival: Arrival, path: ResourcePath | undefined, occupation: Occupation): Visit {
    const { stopwatch, timeoutMs, auditor } = this.#options;
    if (auditor !== undefined) arrival.audit = auditExchange(auditor, arrival, path);
    const startedMs = stopwatch();
    const limitMs = occupation === 'longRunning' ? Infinity : arrival.query === undefined ? timeoutMs : requestTimeoutMs(arrival.query, timeoutMs);
    const lane = path === undefined && healthPath.test(arrival.pathname) ? undefined : this.#inFlight.laneOf(arrival.user, occupation);
    return { arrival, path, occupation, startedMs, deadlineMs: startedMs + limitMs, lane, room: undefined, place: -1, givenUp: false };
  }

  async #inTurn(visit: Visit, lane: FairLane, exchange: Exchange, handle: () => Promise<void>): Promise<void> {
    const { request, response, user } = exchange;
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    response.once('close', leave);
    const outcome = await lane.wait(user.name, gone.signal);
    response.off('close', leave);
    if (typeof outcome !== 'string') {
      visit.room = outcome;
      await this.#serve(visit, exchange, handle);
      return;
    }
    if (outcome !== 'gone') {
      this.#refused.of(visit.occupation).add();
      const error = tooMany(outcome, visit.occupation === 'longRunning' ? 5 : 1);
      auditFailure(exchange.audit, error);
      this.fail(request, response, error);
    }
    this.#count(visit, outcome === 'gone' ? clientGone : response.statusCode);
  }

  async #serve(visit: Visit, exchange: Exchange, handle: () => Promise<void>): Promise<void> {
    this.#begin(visit);
    const { request, response } = exchange;
    if (visit.deadlineMs - visit.startedMs < this.#options.timeoutMs) {
      // A client that sets a time of its own wants it kept.
      const cancel = this.#options.clock.after(visit.deadlineMs - this.#options.stopwatch(), () => this.#giveUp(visit));
      response.once('close', cancel);
    }
    try {
      await handle();
    } catch (error) {
      auditFailure(exchange.audit, error);
      if (!visit.givenUp) this.fail(request, response, error);
    }
    // An answer that its reader leaves unread goes on taking up room, until it is read or its time is up.
    const unread = !visit.givenUp && !response.writableFinished && !response.destroyed && response.socket?.writableNeedDrain !== false;
    const end = (): void => this.#end(visit, response.headersSent ? response.statusCode : clientGone);
    if (unread) response.once('close', end);
    else end();
  }

  #begin(visit: Visit): void {
    if (visit.room === undefined) this.#exempt[visit.occupation]++;
    if (visit.occupation === 'longRunning') {
      this.#staying.add(visit);
      return;
    }
    this.#underWay.add(visit);
    this.#cancelSweep ??= this.#options.clock.after(sweepMs, () => this.#sweep());
  }

  #end(visit: Visit, code: number): void {
    if (visit.occupation === 'longRunning') this.#staying.delete(visit);
    else this.#underWay.delete(visit);
    if (visit.room === undefined) this.#exempt[visit.occupation]--;
    else visit.lane?.leave(visit.room);
    this.#count(visit, code);
  }

  #count(visit: Visit, code: number): void {
    visit.arrival.audit?.completed(code);
    this.#seriesOf(visit).ended(code, (this.#options.stopwatch() - visit.startedMs) / 1_000, visit.occupation === 'longRunning' ? 'counted' : 'timed');
  }

  #seriesOf({ arrival: { request, pathname, query, route }, path }: Visit) {
    return this.requests.seriesOf({ method: request.method ?? '', pathname, path, route, query, contentType: request.headers['content-type'] });
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const now = this.#options.stopwatch();
    for (const visit of this.#underWay.all()) if (visit.deadlineMs <= now) this.#giveUp(visit);
    if (this.#underWay.size > 0) this.#cancelSweep = this.#options.clock.after(sweepMs, () => this.#sweep());
  }

  #giveUp(visit: Visit): void {
    if (visit.givenUp || !this.#underWay.has(visit)) return;
    const { request, response } = visit.arrival as Exchange;
    visit.givenUp = true;
    const error = tooLate();
    auditFailure(visit.arrival.audit, error);
    this.#timedOut.add();
    // What has been begun cannot become an error: it is cut off, so that nobody takes it for whole.
    if (response.headersSent) response.destroy();
    else this.fail(request, response, error);
  }
}
