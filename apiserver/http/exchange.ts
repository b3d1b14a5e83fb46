import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { AuditedRequest } from '../audit/auditor.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Core } from '../core.ts';
import { defaultInFlight, type InFlightLimits } from './in-flight.ts';
import type { Reception } from './reception.ts';
import type { Route } from './resource-path.ts';

/** What the HTTP rim needs of the API's rules. */
export type ApiRules = Pick<Core, 'send' | 'watch' | 'connect' | 'proxy' | 'accountTokens' | 'registry'>;

/** Sizes and times that the server holds its clients to. */
export interface HttpLimits {
  /** Largest body of a request. */
  readonly bodyBytes: number;
  /** Largest request line with all headers. */
  readonly headerBytes: number;
  /** Most headers of a request. */
  readonly headers: number;
  readonly connections: number;
  /** Time for the TLS handshake. When a server has come back thousands wait for their turn in it; cut off too soon they come anew, and none is ever done. */
  readonly handshakeMs: number;
  /** Time for a client to send its headers, and its whole request. Answers may take as long as they like. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long an idle connection is kept for the client's next request. */
  readonly keepAliveMs: number;
  /** How long a watcher or log reader may leave sent bytes unread before it is dropped. */
  readonly drainMs: number;
  /** Time for a request that is no watch and no stream, with its answer. */
  readonly timeoutMs: number;
  /** Longest path with its query. */
  readonly urlBytes: number;
  readonly inFlight: InFlightLimits;
  /** How long `close` leaves idle connections open, while answers tell clients that they will be closed. */
  readonly quietMs: number;
  /** How long `close` waits for requests that are being answered. */
  readonly closeMs: number;
}

/** 3 MiB is Kubernetes' own limit on bodies; the rest keeps slow or silent clients from holding the server's memory. */
export const defaultLimits: HttpLimits = {
  bodyBytes: 3 * 1024 * 1024, headerBytes: 32 * 1024, headers: 200, connections: 10_000, handshakeMs: 30_000,
  headersMs: 15_000, requestMs: 60_000, keepAliveMs: 120_000, drainMs: 30_000, closeMs: 5_000, quietMs: 200,
  timeoutMs: 60_000, urlBytes: 16 * 1024, inFlight: defaultInFlight,
};

/** What all handlers work with. */
export interface HttpContext {
  readonly core: ApiRules;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: HttpLimits;
  readonly reception: Reception;
  /** Aborts when the server closes: watches end then. */
  readonly closing: AbortSignal;
  /** Connections whose request under way may take longer than requestMs: who reads its body sees to it that it moves. */
  readonly unhurried: WeakSet<Duplex>;
}

/** One request and who it is from. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly user: UserInfo;
  readonly pathname: string;
  /** Undefined where the URL has no query. */
  readonly query: URLSearchParams | undefined;
  /** What it asks for, from the moment on when that is known; what is counted of it goes by this. */
  route?: Route | undefined;
  /** Takes down what is done; undefined where nothing is written of this request. */
  audit?: AuditedRequest | undefined;
}

/** Throws for a request whose first lines pass a limit that Node knows nothing of. */
export const checkHead = ({ url = '', rawHeaders }: IncomingMessage, limits: HttpLimits): void => {
  if (url.length > limits.urlBytes) throw new ApiError('URITooLong', `the path with its query is longer than ${limits.urlBytes} bytes`);
  if (rawHeaders.length > limits.headers * 2) throw new ApiError('HeaderFieldsTooLarge', `the request has more than ${limits.headers} headers`);
};

/** The path and query of a request's URL; they are looked at without making a URL of them. */
export const splitUrl = (url: string): { readonly pathname: string; readonly query: URLSearchParams | undefined } => {
  const at = url.indexOf('?');
  if (at < 0) return { pathname: url, query: undefined };
  return { pathname: url.slice(0, at), query: at + 1 === url.length ? undefined : new URLSearchParams(url.slice(at + 1)) };
};

/** The ApiError for anything that was thrown. What is no ApiError is a fault of ours: logged here, once, and told without details. */
export const asApiError = (error: unknown, log: Log, request: IncomingMessage): ApiError => {
  if (error instanceof ApiError) return error;
  log.error('request failed', { method: request.method, url: request.url?.slice(0, 512), error });
  return new ApiError('InternalError', 'Internal error occurred');
};
