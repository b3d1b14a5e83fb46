import type { IncomingMessage } from 'node:http';
import type { ApiAnswer, ApiList, ApiRequest, Transport, WatchEvent } from '../schemas/api.ts';
import { ApiError, isReason, type Status } from '../schemas/errors.ts';
import { deepFreeze } from '../schemas/frozen.ts';
import type { ApiObject } from '../schemas/kind.ts';
import type { Key } from './client.ts';
import { HttpConnection, refusal, type ServerOptions } from './http-connection.ts';
import { LineSplitter } from './line-splitter.ts';
import { runProcess } from './process-session.ts';
import { BrokenOff } from './outage.ts';
import type { ServerAddress, ServerChoice } from './server-choice.ts';
import { httpRequestOf, pathOf } from './request-url.ts';
import type { LogOptions, ProcessStreams, Streams } from './streams.ts';
import { MessageStream } from './web-socket.ts';

export interface HttpTransportOptions extends ServerOptions {
  /** How watches are carried; `http` (chunked lines) where absent. */
  readonly watchBy?: 'http' | 'websocket' | undefined;
}

/** Who is late with a lease counts as dead, so leases have a connection of their own: no request stands before them. */
const leaseGroup = 'coordination.k8s.io';
/** The API over HTTPS, and what else a server does. */
export interface HttpTransport extends Transport, Streams {
  /** Shows another client certificate, or knows the server by other authorities (PEM), from the next connection on; what is under way goes on. */
  useTls(tls: Pick<ServerOptions, 'ca' | 'cert' | 'key'>): void;
}

/** One event: an object of the largest size that a server takes, with room. */
const longestLineBytes = 16 * 2 ** 20;

/**
 * The API over HTTPS. Connections are kept and shared; a server that cannot be reached, an answer that breaks off and
 * one that is no JSON reject with ServiceUnavailable, so that callers have one thing to try again on.
 */
export const createHttpTransport = (options: HttpTransportOptions): HttpTransport => {
  const connection = new HttpConnection(options);
  const signsOfLife = new HttpConnection({ ...options, requestsAtATime: 1, urgent: true });
  return {
    send: (request, signal) => (request.group === leaseGroup ? sendSign(signsOfLife, options.servers, request, signal) : send(connection, request, signal)),
    watch: (request, signal) => (options.watchBy === 'websocket' ? watchWebSocket(connection, request, signal) : watchLines(connection, request, signal)),
    raw: (request, signal) => connection.whole(request, signal),
    logs: (pod, logOptions, signal) => logs(connection, pod, logOptions, signal),
    exec: (pod, command, { container, ...streams }, signal) => runProcess(connection, processPath(pod, 'exec', container, streams, command), streams, signal),
    attach: (pod, { container, ...streams }, signal) => runProcess(connection, processPath(pod, 'attach', container, streams, []), streams, signal),
    useTls: (tls) => {
      connection.useTls(tls);
      signsOfLife.useTls(tls);
    },
    close: () => {
      connection.close();
      signsOfLife.close();
    },
  };
};

/** A sign of life that a server did not take is shown to the next at once, to each one time. */
const sendSign = async (connection: HttpConnection, servers: ServerChoice | undefined, request: ApiRequest, signal: AbortSignal | undefined): Promise<ApiAnswer> => {
  for (const asked = new Set<ServerAddress>(); ;) {
    const at = servers?.current;
    try {
      return await send(connection, request, signal);
    } catch (error) {
      if (at !== undefined) asked.add(at);
      if (servers === undefined || asked.has(servers.current) || !isReason(error, 'ServiceUnavailable') || signal?.aborted === true) throw error;
    }
  }
};

const send = async (connection: HttpConnection, request: ApiRequest, signal: AbortSignal | undefined): Promise<ApiAnswer> => {
  const answer = await connection.whole(httpRequestOf(request), signal);
  return { code: answer.code, body: parsed(answer.body.toString('utf8')), warnings: warningsOf(answer.headers['warning']) };
};

/** The texts of `Warning: 299 - "text"` headers. */
export const warningsOf = (header: string | readonly string[] | undefined): readonly string[] => {
  const text = header === undefined ? '' : [header].flat().join(', ');
  return [...text.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replaceAll(/\\(.)/g, '$1'));
};

/** A body as a frozen object. Items of a list get the kind that other servers leave out. */
const parsed = (text: string): ApiAnswer['body'] => {
  let body: ApiObject | ApiList | Status;
  try {
    body = JSON.parse(text) as ApiObject | ApiList | Status;
  } catch (error) {
    throw new ApiError('ServiceUnavailable', `the answer is not JSON: ${text.slice(0, 100)}`, undefined, { cause: error });
  }
  if (!('items' in body) || !Array.isArray(body.items) || !body.kind.endsWith('List')) return deepFreeze(body);
  const { apiVersion } = body;
  const kind = body.kind.slice(0, -4);
  const items = (body.items as ApiObject[]).map((item) => (item.kind === undefined ? { ...item, kind, apiVersion } : item));
  return deepFreeze({ ...body, items } as ApiList);
};

const eventOf = (text: string): WatchEvent => {
  let event: { readonly type: string; readonly object: unknown };
  try {
    event = JSON.parse(text) as typeof event;
  } catch (error) {
    throw new ApiError('ServiceUnavailable', 'a watch event is not JSON', undefined, { cause: error });
  }
  if (event.type === 'ERROR') throw ApiError.fromStatus(event.object as Status);
  return deepFreeze(event as WatchEvent);
};

/** The events of texts that came together. Those before an ERROR are delivered first, and then it is thrown. */
const batches = function* (texts: readonly string[]): Generator<readonly WatchEvent[]> {
  const events: WatchEvent[] = [];
  try {
    for (const text of texts) if (text !== '') events.push(eventOf(text));
  } catch (error) {
    if (events.length > 0) yield events;
    throw error;
  }
  if (events.length > 0) yield events;
};

const watchLines = async function* (connection: HttpConnection, request: ApiRequest, signal: AbortSignal): AsyncGenerator<readonly WatchEvent[]> {
  const lines = new LineSplitter(longestLineBytes);
  for await (const chunk of streamed(connection, httpRequestOf({ ...request, verb: 'watch' }), signal)) {
    yield* batches(lines.push(chunk));
  }
};

const watchWebSocket = async function* (connection: HttpConnection, request: ApiRequest, signal: AbortSignal): AsyncGenerator<readonly WatchEvent[]> {
  try {
    const messages = await MessageStream.open(connection, httpRequestOf({ ...request, verb: 'watch' }).path, [], signal);
    for await (const first of messages) {
      yield* batches([first, ...messages.takeWaiting()].map(({ data }) => data.toString('utf8')));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

/** The bytes of an answer that has no end in sight. Returns when the signal aborts. */
const streamed = async function* (connection: HttpConnection, { method, path }: { readonly method: string; readonly path: string }, signal: AbortSignal): AsyncGenerator<Buffer> {
  let response: IncomingMessage | undefined;
  try {
    response = await connection.open({ method, path }, signal);
    if ((response.statusCode ?? 0) >= 400) throw await refusal(response);
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError) throw error;
    throw new BrokenOff('the stream broke off', error);
  } finally {
    response?.destroy();
  }
};

const logs = (connection: HttpConnection, pod: Key, options: LogOptions, signal: AbortSignal): AsyncIterable<Buffer> => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) if (value !== undefined && value !== false) query.set(name, String(value));
  return streamed(connection, { method: 'GET', path: `${podPath(pod, 'log')}?${query}` }, signal);
};

const podPath = (pod: Key, subresource: string): string =>
  pathOf({ group: '', version: 'v1', resource: 'pods', namespace: pod.namespace, name: pod.name, subresource });

const processPath = (pod: Key, subresource: 'exec' | 'attach', container: string | undefined, streams: ProcessStreams, command: readonly string[]): string => {
  const query = new URLSearchParams();
  for (const word of command) query.append('command', word);
  if (container !== undefined) query.set('container', container);
  if (streams.stdin !== undefined) query.set('stdin', 'true');
  if (streams.stdout !== undefined) query.set('stdout', 'true');
  if (streams.stderr !== undefined && streams.tty !== true) query.set('stderr', 'true');
  if (streams.tty === true) query.set('tty', 'true');
  return `${podPath(pod, subresource)}?${query}`;
};
