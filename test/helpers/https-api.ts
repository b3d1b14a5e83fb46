import { connect, type TLSSocket } from 'node:tls';
import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createCertificateAuthenticator } from '../../apiserver/authentication/certificates.ts';
import { firstOf } from '../../apiserver/authentication/chain.ts';
import { anyTokens, createTokenAuthenticator, fixedTokens } from '../../apiserver/authentication/tokens.ts';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import type { HttpLimits } from '../../apiserver/http/exchange.ts';
import type { Dial } from '../../apiserver/http/proxy-client.ts';
import { createApiHttpServer, type ApiHttpServer } from '../../apiserver/http/server.ts';
import { systemClock, type Clock } from '../../base/clock.ts';
import { silentLog, type Log } from '../../base/log.ts';
import { Metrics } from '../../base/metrics/metrics.ts';
import { createCa, issueCertificate, type CertificatePair } from '../../base/pki.ts';
import { testApi, type TestApi, type TestApiOptions } from './api.ts';

export interface TestCertificates {
  readonly ca: CertificatePair;
  readonly server: CertificatePair;
  readonly admin: CertificatePair;
  /** Of a user without any rights. */
  readonly bob: CertificatePair;
  /** As the API server shows itself to agents; the same pair serves as an agent's. */
  readonly apiserver: CertificatePair;
}

let made: Promise<TestCertificates> | undefined;

/** One set of certificates for all tests of a process. */
export const testCertificates = (): Promise<TestCertificates> => (made ??= (async () => {
  const nowMs = Date.now();
  const ca = await createCa({ commonName: 'test-ca', lifetimeDays: 2, nowMs });
  const client = (commonName: string, ...organizations: readonly string[]) => issueCertificate({ ca, commonName, organizations, usages: ['client'], lifetimeDays: 1, nowMs });
  const both = { ca, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], lifetimeDays: 1, nowMs };
  return {
    ca, admin: await client('admin', 'system:masters'), bob: await client('bob'),
    server: await issueCertificate({ ...both, commonName: 'apiserver', usages: ['server'] }),
    apiserver: await issueCertificate({ ...both, commonName: 'system:barge:apiserver', usages: ['server', 'client'] }),
  };
})());

export interface Answer {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json<T = Record<string, unknown>>(): T;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  /** Whose certificate; `admin` where absent, null for none. */
  readonly as?: 'admin' | 'bob' | CertificatePair | null;
}

export interface HttpsApi extends TestApi {
  readonly server: ApiHttpServer;
  readonly port: number;
  readonly certificates: TestCertificates;
  readonly metrics: Metrics;
  /** One request on a connection of its own. A body that is no string or buffer is sent as JSON. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** A request whose answer is read as it comes. */
  open(path: string, options?: CallOptions): Promise<IncomingMessage>;
  /** A TLS connection on which anything can be said. */
  raw(as?: CallOptions['as']): Promise<TLSSocket>;
}

export interface HttpsApiOptions extends TestApiOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly serverLog?: Log;
  readonly serverClock?: Clock;
  readonly dial?: Dial;
  /** A free one where absent. */
  readonly port?: number;
}

/** A real API server behind real TLS on a free port of the loopback. */
export const httpsApi = async ({ limits, serverLog = silentLog, serverClock = systemClock, dial, port: wanted = 0, ...options }: HttpsApiOptions = {}): Promise<HttpsApi> => {
  const authorizer = options.authorizer ?? createBuiltinAuthorizer();
  const metrics = new Metrics();
  const [certificates, api] = await Promise.all([testCertificates(), testApi({ ...options, authorizer })]);
  const { ca } = certificates;
  const server = createApiHttpServer({
    core: api.core, authorizer: api.core.authorizer, clock: serverClock, log: serverLog, version: '0.0.0', metrics, auditor: options.auditor,
    ...(serverClock === systemClock ? {} : { stopwatch: () => serverClock.now() }),
    authenticator: firstOf([createCertificateAuthenticator(systemClock), createTokenAuthenticator(anyTokens([fixedTokens(new Map([['t0ken', { name: 'robot', groups: [] }]])), api.core.tokens]))]),
    tls: { ...certificates.server, ca: ca.cert }, nodeTls: { ...certificates.apiserver, ca: ca.cert }, ...(limits === undefined ? {} : { limits }), ...(dial === undefined ? {} : { dial }),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: wanted });
  const identity = (as: CallOptions['as'] = 'admin') => {
    const pair = as === null ? undefined : typeof as === 'string' ? certificates[as] : as;
    return { host: '127.0.0.1', port, ca: ca.cert, ...(pair === undefined ? {} : { cert: pair.cert, key: pair.key }) };
  };
  const open = (path: string, call: CallOptions = {}): Promise<IncomingMessage> => new Promise((resolve, reject) => {
    const { body } = call;
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
    const requestOptions = {
      ...identity(call.as), path, method: call.method ?? (bytes === undefined ? 'GET' : 'POST'), agent: false,
      headers: { ...(bytes === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) }), ...call.headers },
    } as RequestOptions;
    const outgoing = request(requestOptions, resolve);
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
  return {
    ...api, server, port, certificates, metrics, open,
    call: async (path, call) => {
      const incoming = await open(path, call);
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const text = bytes.toString('utf8');
      return { code: incoming.statusCode ?? 0, headers: incoming.headers, bytes, text, json: <T>() => JSON.parse(text) as T };
    },
    raw: (as) => new Promise((resolve, reject) => {
      const socket = connect(identity(as), () => resolve(socket));
      socket.once('error', reject);
    }),
    close: async () => {
      await server.close();
      await api.close();
    },
  };
};
