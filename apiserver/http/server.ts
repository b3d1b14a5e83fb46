/**
 * The HTTPS server. It knows the wire (TLS, HTTP, WebSocket, formats, limits) and no rule of the API: those are the
 * core's. docs/design/http.md tells how a request runs through it, docs/design/security.md what it holds clients to.
 */
import { constants } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { Server as NetServer, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Metrics } from '../../base/metrics/metrics.ts';
import { http } from '../../base/node-http.ts';
import { TrustedClients } from '../../base/trusted-clients.ts';
import type { Auditor } from '../audit/auditor.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { createApp } from './app.ts';
import { defaultLimits, type ApiRules, type HttpContext, type HttpLimits } from './exchange.ts';
import type { HealthChecks } from './health.ts';
import { createNodeClient, type NodeTls } from './node-client.ts';
import { createProxyClient, type Dial } from './proxy-client.ts';
import { Reception } from './reception.ts';
import type { MaterialSource } from './server-material.ts';
import { createUpgradeHandler, isUpgrade } from './upgrades.ts';
import { versionInfo } from './version.ts';

export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** The authorities of client certificates. PEM, as the others. */
  readonly ca: string;
}

export interface ApiHttpServerOptions {
  readonly core: ApiRules;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly tls: ServerTls;
  /** How the server shows itself to node agents. */
  readonly nodeTls: NodeTls;
  readonly log: Log;
  readonly clock: Clock;
  /** Barge's version, such as `0.1.0`. */
  readonly version: string;
  readonly limits?: Partial<HttpLimits>;
  /** Named parts that /healthz, /livez and /readyz look at. */
  readonly checks?: HealthChecks;
  /** Those that /livez leaves out: parts that come back without this process being started anew. */
  readonly readinessChecks?: HealthChecks;
  /** Writes down who does what; nothing is written where absent. */
  readonly auditor?: Auditor | undefined;
  /** Where the server counts, and what /metrics shows; of its own where absent. */
  readonly metrics?: Metrics;
  /** Milliseconds in fractions, by which durations are measured; `performance.now` where absent. */
  readonly stopwatch?: () => number;
  /** How the addresses behind proxies are reached; by TCP where absent. */
  readonly dial?: Dial;
  /** What a further server of the cluster needs; absent where there can be none. */
  readonly serverMaterial?: MaterialSource | undefined;
}

export interface ApiHttpServer {
  /**
   * Starts to listen; port 0 picks a free one. Rejects when the address cannot be had. It may be called for several
   * addresses, and resolves with the address that it has.
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly address: string; readonly port: number }>;
  /**
   * Shows another certificate, and knows clients by other authorities, from the next connection on. What is open goes on, but
   * for connections of clients whose certificates none of the authorities has signed.
   */
  useTls(tls: ServerTls): void;
  /** Takes no more requests, ends all watches and streams, and resolves when the requests under way are answered (at most closeMs). */
  close(): Promise<void>;
}

const secureContext = ({ cert, key, ca }: ServerTls) => ({
  cert, key, ca, minVersion: 'TLSv1.2',
  // Who a connection is from must not change under its requests.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
}) as const;

const createTlsServer = (tls: ServerTls, limits: HttpLimits): Server => createServer({
  ...secureContext(tls), ALPNProtocols: ['http/1.1'], handshakeTimeout: limits.handshakeMs,
  // A certificate is asked for but not insisted on: none is anonymous, and a wrong one gets a 401 it can read.
  requestCert: true, rejectUnauthorized: false,
  maxHeaderSize: limits.headerBytes, headersTimeout: limits.headersMs, requestTimeout: limits.requestMs,
  connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
  keepAliveTimeout: limits.keepAliveMs, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000,
  shouldUpgradeCallback: isUpgrade,
  // The stream of a body that no request has costs a get as much as our own part of it. Such a request tells of no end.
  optimizeEmptyRequests: true,
});

const protocolErrors: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Bytes that are no HTTP request get a Status too, and the connection is closed: nothing behind them can be trusted. */
const refuseBytes = (unhurried: WeakSet<Duplex>) => (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && unhurried.has(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = protocolErrors[error.code ?? ''] ?? 400;
  const words = http.STATUS_CODES[code] ?? '';
  const body = `${JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: `the request cannot be read: ${words}`, reason: code === 408 ? 'Timeout' : 'BadRequest', code })}\n`;
  socket.end(`HTTP/1.1 ${code} ${words}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
};

export const createApiHttpServer = (options: ApiHttpServerOptions): ApiHttpServer => {
  const limits: HttpLimits = { ...defaultLimits, ...options.limits };
  const closing = new AbortController();
  const { core, authorizer, authenticator, clock, log, metrics = new Metrics(), stopwatch = () => performance.now() } = options;
  const reception = new Reception({ clock, log, metrics, stopwatch, auditor: options.auditor, inFlight: limits.inFlight, timeoutMs: limits.timeoutMs });
  const context: HttpContext = { core, authorizer, clock, log, limits, reception, closing: closing.signal, unhurried: new WeakSet() };
  const nodes = createNodeClient(options.nodeTls, clock);
  const proxy = createProxyClient({ nodes, clock, dial: options.dial });
  const livez: HealthChecks = { ...options.checks, shutdown: () => (closing.signal.aborted ? 'the server is closing' : undefined) };
  const readyz: HealthChecks = { ...livez, ...options.readinessChecks };
  const app = createApp({ context, nodes, proxy, authenticator, version: versionInfo(options.version), checks: { livez, readyz, healthz: readyz }, metrics, serverMaterial: options.serverMaterial });
  const upgrade = createUpgradeHandler({ context, nodes, proxy, authenticator });
  const servers: Server[] = [];
  const clients = new TrustedClients();

  let tls = options.tls;

  const open = (): Server => {
    const server = createTlsServer(tls, limits);
    server.maxConnections = limits.connections;
    // Node would ignore what is beyond its limit, as if it had not been said; checkHead refuses it.
    server.maxHeadersCount = 0;
    server.on('secureConnection', (socket) => clients.add(socket));
    server.on('request', app);
    server.on('upgrade', upgrade);
    server.on('clientError', refuseBytes(context.unhurried));
    server.on('tlsClientError', (error, socket) => {
      log.debug('a TLS handshake failed', { error: error.message });
      socket.destroy();
    });
    server.on('drop', () => log.warn('a connection was refused: there are too many', { limit: limits.connections }));
    return server;
  };

  return {
    listen: ({ host, port }) => new Promise((resolve, reject) => {
      if (closing.signal.aborted) throw new Error('the HTTPS server is closed');
      const server = open();
      servers.push(server);
      server.once('error', (error) => {
        if (!server.listening) servers.splice(servers.indexOf(server), 1);
        reject(error);
      });
      server.listen({ host, port }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => log.error('the HTTPS server failed', { error }));
        const at = server.address() as AddressInfo;
        resolve({ address: at.address, port: at.port });
      });
    }),
    useTls: (next) => {
      const { ca } = tls;
      tls = next;
      for (const server of servers) server.setSecureContext(secureContext(tls));
      if (ca !== tls.ca) clients.trust(tls.ca);
    },
    close: async () => {
      closing.abort();
      reception.drain();
      await Promise.all(servers.map((server) => closeServer(server, clock, { quietMs: limits.quietMs, closeMs: limits.closeMs, cut: () => reception.cutStreams() })));
      reception.close();
    },
  };
};

interface Closing {
  /** How long connections stay open for clients who do not know yet; each answer tells them. */
  readonly quietMs: number;
  /** After this time what is still open is cut. */
  readonly closeMs: number;
  readonly cut: () => void;
}

/** Resolves when the requests under way are answered; after the time their connections are cut. */
const closeServer = (server: Server, clock: Clock, { quietMs, closeMs, cut }: Closing): Promise<void> =>
  new Promise((resolve) => {
    if (!server.listening) return resolve();
    // A connection that is idle may have a request on its way. Node's own close would cut it under that request.
    let cancelSweep = clock.after(quietMs, () => sweep());
    const sweep = (): void => {
      server.closeIdleConnections();
      cancelSweep = clock.after(50, sweep);
    };
    const cancelForce = clock.after(closeMs, () => {
      server.closeAllConnections();
      cut();
    });
    NetServer.prototype.close.call(server, () => {
      cancelSweep();
      cancelForce();
      server.close(() => resolve()); // ends what HTTP's server does beside
    });
  });
