/**
 * Writes down who did what. A request is noted when it arrives, and an event is made at each of its stages; what of it is
 * written the policy says. A server without an auditor does not look at any of this.
 */
import { rfc3339Micro, type Clock } from '../../base/clock.ts';
import { withoutManagedFields } from './without-managed-fields.ts';
import type { Counter, Metrics } from '../../base/metrics/metrics.ts';
import type { ResourcePath, UserInfo } from '../../schemas/api.ts';
import type { ApiError, Status } from '../../schemas/errors.ts';
import { newUid } from '../verbs/identity.ts';
import { levels, writtenUser, type AuditEvent, type Level, type ObjectRef, type Stage } from './event.ts';
import { verdictOf, type Audited, type AuditPolicy, type Verdict } from './policy.ts';

/** Takes the events. It must not throw and must not wait. */
export interface AuditSink {
  write(event: AuditEvent): void;
}

export interface AuditorOptions {
  readonly policy: AuditPolicy;
  readonly sink: AuditSink;
  readonly clock: Pick<Clock, 'now'>;
  /** Uniform in [0, 1); IDs are made of it. */
  readonly random: () => number;
  readonly metrics: Metrics;
}

/** What is known of a request when it arrives. */
export interface Arrived extends Audited {
  /** As whom it goes on, where that is not who asks. */
  readonly impersonated?: UserInfo | undefined;
  readonly requestURI: string;
  readonly sourceIPs?: readonly string[] | undefined;
  readonly userAgent?: string | undefined;
  /** An ID that the client gave. */
  readonly auditID?: string | undefined;
}

/** Adds a fact to what is written down of a request; keys are `<domain>/<name>`. The first value of a key stays. */
export type Annotate = (key: string, value: string) => void;

const mostAnnotations = 64;
const longestAnnotation = 8 * 1024;
const decision = { key: 'authorization.k8s.io/decision', reason: 'authorization.k8s.io/reason' } as const;

const refOf = ({ group, version, resource, subresource, namespace, name }: ResourcePath): ObjectRef =>
  ({ resource, namespace, name, apiGroup: group === '' ? undefined : group, apiVersion: version, subresource });

export class Auditor {
  readonly #options: AuditorOptions;
  readonly #events: Counter;

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#events = options.metrics.counter({ name: 'apiserver_audit_event_total', help: 'Events of the audit log that were made.' }).of();
  }

  /** Notes a request; undefined for one of which nothing is to be written. */
  begin(arrived: Arrived): AuditedRequest | undefined {
    const verdict = verdictOf(this.#options.policy, arrived);
    if (verdict.level === 'None') return undefined;
    return new AuditedRequest(arrived, { verdict, auditID: arrived.auditID ?? newUid(this.#options.random), now: () => this.#options.clock.now(), write: (event) => {
      this.#events.add();
      this.#options.sink.write(event);
    } });
  }
}

interface Work {
  readonly verdict: Verdict;
  readonly auditID: string;
  readonly now: () => number;
  readonly write: (event: AuditEvent) => void;
}

/** One request on its way; each of its stages is written once. */
export class AuditedRequest {
  readonly #arrived: Arrived;
  readonly #work: Work;
  readonly #receivedAt: string;
  readonly #annotations = new Map<string, string>();
  #objectRef: ObjectRef | undefined;
  #requestObject: unknown;
  #responseObject: unknown;
  #error: ApiError | undefined;
  #started = false;
  #ended = false;

  constructor(arrived: Arrived, work: Work) {
    this.#arrived = arrived;
    this.#work = work;
    this.#receivedAt = rfc3339Micro(work.now());
    this.#objectRef = arrived.path === undefined ? undefined : refOf(arrived.path);
    this.#write('RequestReceived');
    this.#annotations.set(decision.key, 'allow').set(decision.reason, '');
  }

  get id(): string {
    return this.#work.auditID;
  }

  readonly annotate: Annotate = (key, value) => {
    if (this.#annotations.size < mostAnnotations && !this.#annotations.has(key)) this.#annotations.set(key, value.slice(0, longestAnnotation));
  };

  /** The decoded body. */
  requested(body: unknown): void {
    const { metadata } = (typeof body === 'object' && body !== null ? body : {}) as { readonly metadata?: { readonly name?: unknown; readonly uid?: unknown; readonly resourceVersion?: unknown } };
    const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
    if (this.#objectRef !== undefined && !Array.isArray(body)) {
      this.#objectRef = { ...this.#objectRef, name: this.#objectRef.name ?? text(metadata?.name), uid: text(metadata?.uid), resourceVersion: text(metadata?.resourceVersion) };
    }
    if (this.#writes('Request')) this.#requestObject = this.#shown(body);
  }

  /** What the request is answered with. */
  answered(body: unknown): void {
    if (this.#writes('RequestResponse')) this.#responseObject = this.#shown(body);
  }

  /** The error that it is answered with; `refused` where it may not be done at all. */
  failed(error: ApiError, why: 'refused' | 'failed'): void {
    this.#error = error;
    if (why === 'refused') this.#annotations.set(decision.key, 'forbid');
    if (this.#writes('RequestResponse')) this.#responseObject = error.toStatus();
  }

  /** A stream has begun: its end may be far. */
  started(code: number): void {
    if (this.#started) return;
    this.#started = true;
    this.#write('ResponseStarted', { code });
  }

  /** All of the answer is out, or its reader is gone. */
  completed(code: number): void {
    this.#end('ResponseComplete', code);
  }

  /** The server failed by a fault of its own. */
  panicked(): void {
    this.#end('Panic', 500);
  }

  #end(stage: Stage, code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const { message, reason, details } = this.#error ?? {};
    this.#write(stage, { ...(this.#error === undefined ? {} : { status: 'Failure', message, reason, details }), code });
  }

  #writes(level: Level): boolean {
    return levels.indexOf(this.#work.verdict.level) >= levels.indexOf(level);
  }

  #shown(body: unknown): unknown {
    return this.#work.verdict.omitManagedFields ? withoutManagedFields(body) : body;
  }

  #write(stage: Stage, responseStatus?: Partial<Status>): void {
    const { verdict: { level, omitStages }, auditID, now, write } = this.#work;
    if (omitStages.includes(stage)) return;
    const { user, impersonated, requestURI, verb, sourceIPs, userAgent } = this.#arrived;
    write({
      kind: 'Event', apiVersion: 'audit.k8s.io/v1', level, auditID, stage, requestURI, verb, user: user === undefined ? {} : writtenUser(user),
      impersonatedUser: impersonated === undefined ? undefined : writtenUser(impersonated), sourceIPs, userAgent, objectRef: this.#objectRef,
      responseStatus: responseStatus === undefined ? undefined : { metadata: {}, ...responseStatus } as Partial<Status>,
      requestObject: this.#requestObject, responseObject: this.#responseObject, requestReceivedTimestamp: this.#receivedAt, stageTimestamp: rfc3339Micro(now()),
      annotations: stage === 'RequestReceived' ? undefined : Object.fromEntries(this.#annotations),
    });
  }
}
