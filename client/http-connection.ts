/**
 * One server over HTTP(S): connections that stay open, credentials, and errors of the network as ApiError. Everything
 * above speaks in requests and answers; only this file, web-socket.ts and their callers know Node's http.
 */
import type { Agent as HttpAgent, AgentOptions, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import tls, { type SecureContext } from 'node:tls';
import { sleep, systemClock } from '../base/clock.ts';
import { http } from '../base/node-http.ts';
import { ApiError, type Status } from '../schemas/errors.ts';
import { BrokenOff, Unreachable, type Outage } from './outage.ts';
import type { ServerChoice } from './server-choice.ts';

export interface ServerOptions {
  /** `https://host:port`, with a path where the API lies below one. */
  readonly server: string;
  /** Where the cluster has several servers: which of them is asked. `server` is then the first of them. */
  readonly servers?: ServerChoice | undefined;
  /** Is told whether a server answers, where somebody wants to know. */
  readonly outage?: Outage | undefined;
  /** Signs of life: they wait for nothing, and a server that leaves one unanswered is left. */
  readonly urgent?: boolean | undefined;
  /** PEM certificates that the server's must chain to; the system's where absent. */
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly token?: string | undefined;
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  /** The name to expect in the server's certificate, where it is not the URL's. */
  readonly tlsServerName?: string | undefined;
  /** True takes any certificate: only where the user asks for it. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** Whom the server is to take the requests for, as far as who sends them may. */
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[]; readonly uid?: string | undefined } | undefined;
  readonly userAgent?: string | undefined;
  /** Longest time for a request and its answer; 60 s where absent. Watches and streams have none. */
  readonly timeoutMs?: number | undefined;
  /** Requests under way at a time, each on a connection of its own; more wait. 32 where absent. Streams do not count. */
  readonly requestsAtATime?: number | undefined;
}

export interface Outgoing {
  readonly method: string;
  /** Path and query, below the server's URL. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string | undefined;
  readonly body?: string | Buffer | undefined;
}

/** Answers that are read whole: a list of 100,000 pods has about 300 MB. */
const longestAnswerBytes = 512 * 2 ** 20;
const longestErrorBytes = 2 ** 20;
const defaultTimeoutMs = 60_000;
/** Where another server can be asked. */
const connectMs = 2_000;
const urgentTimeoutMs = 3_000;
/**
 * A connection costs both sides a handshake, which is worth dozens of requests. Without a bound a burst opens one for each
 * request that finds none free; when a server has no time for so many handshakes it gives them up, all come again, and
 * nothing is done any more.
 */
const defaultRequestsAtATime = 32;
/**
 * An idle connection is given up after this time, as clients in Go do, or a second before the server said that it would close
 * it: a request that goes into a connection which is being closed is lost, and a write cannot be sent again.
 */
const idleMs = 90_000;
/** As client-go: who is told to come back later does so ten times, when he was told. */
const maxRetries = 10;
const longestRetryAfterSeconds = 60;

export class HttpConnection {
  readonly headers: OutgoingHttpHeaders;
  readonly #first: URL;
  readonly #stay: (() => void) | undefined;
  #options: ServerOptions;
  #requests: HttpAgent | undefined;
  #streams: HttpAgent | undefined;
  #context: SecureContext | undefined;
  /** Those of an earlier identity whose connections are still in use. */
  #earlier: readonly HttpAgent[] = [];

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#first = new URL(options.server);
    if (this.#first.protocol !== 'https:' && this.#first.protocol !== 'http:') throw new Error(`server ${options.server}: must be an http or https URL`);
    this.headers = headersOf(options);
    this.#stay = options.servers?.onMoved((why) => (why === 'lost' ? this.#leave() : this.#follow()));
  }

  /** The server's URL; that of the one which is asked now, where there are several. */
  get base(): URL {
    const { servers } = this.#options;
    return servers === undefined ? this.#first : new URL(servers.current.url);
  }

  get options(): ServerOptions {
    return this.#options;
  }

  /**
   * Shows another certificate, or knows the server by other authorities, from the next connection on. What is under way goes on
   * as who it began as; idle connections end.
   */
  useTls(tls: Pick<ServerOptions, 'ca' | 'cert' | 'key'>): void {
    this.#options = { ...this.#options, ...tls };
    this.#context = undefined;
    const before = [this.#requests, this.#streams];
    this.#requests = this.#streams = undefined;
    this.#finish(before);
  }

  /** What is under way on these connections goes on to its end; idle ones end. */
  #finish(agents: readonly (HttpAgent | undefined)[]): void {
    const before = agents.filter((agent) => agent !== undefined);
    for (const agent of before) {
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    }
    this.#earlier = [...this.#earlier.filter(({ sockets }) => Object.keys(sockets).length > 0), ...before];
  }

  /** What a TLS connection to this server needs. */
  get tls() {
    const { ca, cert, key, servers, insecureSkipTlsVerify } = this.options;
    const tlsServerName = servers === undefined ? this.options.tlsServerName : servers.current.tlsServerName;
    // Made once: to read the certificates again for each connection takes as long as the rest of its handshake.
    this.#context ??= tls.createSecureContext({
      // What is given as an authority is one, also where another has signed it: as programs in Go take it.
      allowPartialTrustChain: true,
      ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }),
    });
    return {
      secureContext: this.#context,
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      rejectUnauthorized: insecureSkipTlsVerify !== true,
    };
  }

  /** The URL of a path below the server's. */
  url(path: string): URL {
    return new URL(this.base.pathname.replace(/\/+$/, '') + path, this.base.origin);
  }

  /**
   * Opens a stream: resolves with the answer's head; its body is to be read or destroyed. Rejects with ServiceUnavailable.
   * A server that has no room now (429 with Retry-After) has done nothing, and is asked again after the time that it says.
   */
  open(outgoing: Outgoing, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    return this.#answered(outgoing, () => (this.#streams ??= this.#connections({})), signal);
  }

  /** What is under way at the server that did not answer ends, and is begun anew elsewhere by whoever began it. */
  #leave(): void {
    const before = [this.#requests, this.#streams, ...this.#earlier];
    this.#requests = this.#streams = undefined;
    this.#earlier = [];
    for (const agent of before) agent?.destroy();
  }

  /** Another server is asked from now on: answers that are under way are waited for, streams are begun anew there. */
  #follow(): void {
    const [requests, streams] = [this.#requests, this.#streams];
    this.#requests = this.#streams = undefined;
    this.#finish([requests]);
    streams?.destroy();
  }

  #connections(bounds: Pick<AgentOptions, 'maxSockets'>): HttpAgent {
    const keep = { keepAlive: true, keepAliveMsecs: 15_000, timeout: idleMs, maxFreeSockets: 16, ...bounds };
    return this.base.protocol === 'https:' ? new https.Agent({ ...keep, ...this.tls, maxCachedSessions: 8 }) : new http.Agent(keep);
  }

  async #answered(outgoing: Outgoing, agent: () => HttpAgent, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const { servers, urgent } = this.#options;
    for (let tries = 1; ; tries++) {
      if (servers !== undefined && urgent !== true) await servers.ready(signal);
      const response = await this.#open(outgoing, agent, signal);
      const afterMs = tries > maxRetries ? undefined : retryAfterMs(response);
      if (afterMs === undefined || signal?.aborted === true) return response;
      response.resume();
      await sleep(systemClock, afterMs, signal ?? new AbortController().signal);
    }
  }

  async #open(outgoing: Outgoing, agent: () => HttpAgent, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    try {
      return await this.#once(outgoing, agent(), signal);
    } catch (error) {
      // The server may close a connection that was idle at the moment we take it up; what changes nothing can be asked again.
      if (error instanceof StaleConnection && outgoing.method === 'GET' && signal?.aborted !== true) return this.#once(outgoing, agent(), signal);
      throw error;
    }
  }

  /** Sends a request and reads the whole answer. Rejects with ApiError for every answer from 400 on. */
  async whole(outgoing: Outgoing, signal?: AbortSignal): Promise<{ readonly code: number; readonly headers: IncomingMessage['headers']; readonly body: Buffer }> {
    const { servers, urgent } = this.#options;
    const at = servers?.current;
    const limitMs = urgent === true && servers?.hasOthers === true ? urgentTimeoutMs : this.options.timeoutMs ?? defaultTimeoutMs;
    const stop = new AbortController();
    let late = false;
    const giveUp = (): void => stop.abort();
    const cancel = systemClock.after(limitMs, () => {
      late = true;
      giveUp();
    });
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    try {
      const agent = (): HttpAgent => (this.#requests ??= this.#connections({ maxSockets: this.options.requestsAtATime ?? defaultRequestsAtATime }));
      const response = await this.#answered(outgoing, agent, stop.signal);
      if ((response.statusCode ?? 0) >= 400) throw await refusal(response);
      return { code: response.statusCode ?? 0, headers: response.headers, body: await bytesOf(response, longestAnswerBytes) };
    } catch (error) {
      if (late && urgent === true && at !== undefined) servers?.failed(at, 'slow');
      if (late) {
        const message = `no answer to ${outgoing.method} ${outgoing.path} from ${this.base.origin} within ${limitMs} ms`;
        throw new Unreachable(message, { cause: error, told: this.#options.outage?.late(this.base.origin, message, limitMs) ?? false });
      }
      throw error instanceof ApiError ? error : new BrokenOff(`the answer of ${this.base.origin} broke off`, error);
    } finally {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#stay?.();
    this.#leave();
  }

  #once(outgoing: Outgoing, agent: HttpAgent, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const { method, path, accept = 'application/json', contentType, body } = outgoing;
    const headers: OutgoingHttpHeaders = { ...this.headers, accept };
    if (contentType !== undefined) headers['content-type'] = contentType;
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
    const { base } = this;
    const send = base.protocol === 'https:' ? https.request : http.request;
    const { servers, outage } = this.#options;
    const at = servers?.current;
    return new Promise((resolve, reject) => {
      const request = send(this.url(path), { method, headers, agent, ...(signal === undefined ? {} : { signal }) });
      if (servers?.hasOthers === true) boundConnecting(request);
      let answered = false;
      request.on('response', (response) => {
        answered = true;
        if (at !== undefined) servers?.answered(at);
        outage?.answered(base.origin);
        resolve(response);
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        const why = reasonOf(error);
        // What comes late from a server that was left says nothing of the one that there is.
        if (!stale && !answered && signal?.aborted !== true && at === servers?.current) outage?.unreachable(base.origin, why);
        if (at !== undefined && !request.reusedSocket && !answered && signal?.aborted !== true) servers?.failed(at, 'unreachable');
        reject(stale ? new StaleConnection(base.origin, error) : new Unreachable(`${base.origin}: ${why}`, { cause: error, told: outage !== undefined }));
      });
      request.end(body);
    });
  }
}

/** A machine that is gone answers nothing, and the system would try to connect for two minutes. */
const boundConnecting = (request: ClientRequest): void => {
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const cancel = systemClock.after(connectMs, () => request.destroy(new Error(`no connection within ${connectMs} ms`)));
    socket.once('connect', cancel).once('close', cancel);
  });
};

/** How long to wait before a refused request is sent again; undefined where it is not to be. */
const retryAfterMs = ({ statusCode, headers }: IncomingMessage): number | undefined => {
  const seconds = headers['retry-after'];
  return statusCode === 429 && seconds !== undefined && /^\d{1,6}$/.test(seconds) ? Math.min(Number(seconds), longestRetryAfterSeconds) * 1_000 : undefined;
};

/** A kept connection was closed by the server before it answered. */
class StaleConnection extends ApiError {
  constructor(origin: string, cause: unknown) {
    super('ServiceUnavailable', `${origin}: the server closed the connection before it answered`, undefined, { cause });
  }
}

/** The words for what went wrong: several addresses that all refuse make an AggregateError without a message. */
const reasonOf = (error: Error): string =>
  error instanceof AggregateError ? error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ') : error.message;

const headersOf = ({ token, basic, impersonate, userAgent }: ServerOptions): OutgoingHttpHeaders => ({
  'user-agent': userAgent ?? 'barge',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  ...(basic === undefined ? {} : { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` }),
  ...(impersonate === undefined ? {} : { 'impersonate-user': impersonate.user, 'impersonate-group': [...impersonate.groups], ...(impersonate.uid === undefined ? {} : { 'impersonate-uid': impersonate.uid }) }),
});

export const bytesOf = async (stream: AsyncIterable<Buffer>, limitBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new ApiError('InternalError', `the answer is longer than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
};

/** The error that an answer from 400 on stands for; a body that is no Status becomes the message. */
export const refusal = async (response: IncomingMessage): Promise<ApiError> => {
  const code = response.statusCode ?? 500;
  const text = (await bytesOf(response, longestErrorBytes)).toString('utf8');
  const status = statusOf(text);
  if (status !== undefined) return ApiError.fromStatus({ ...status, code: status.code ?? code });
  return ApiError.fromStatus({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, message: text.trim().slice(0, 1_000) || `the server answered ${code}` });
};

const statusOf = (text: string): Status | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status' ? body as Status : undefined;
  } catch {
    return undefined;
  }
};
