/**
 * The agent's own HTTPS server: logs and sessions of this node's containers, for the API server alone. A client must show
 * a certificate that the cluster's CA signed, with the API server's name in it; who may ask for what was decided there.
 */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { Clock } from '../base/clock.ts';
import type { LivePair } from '../base/live-pair.ts';
import type { LiveValue } from '../base/live-value.ts';
import type { Log } from '../base/log.ts';
import { http } from '../base/node-http.ts';
import { TrustedClients } from '../base/trusted-clients.ts';
import { ApiError, badRequest } from '../schemas/errors.ts';
import type { Engine } from './agent-context.ts';
import { allContainers } from './pod-view.ts';
import type { ExecSession } from './runtime/runtime.ts';
import { flag, logRequest, sendLogs } from './server/container-logs.ts';
import type { NodeReports } from './server/node-reports.ts';
import { servePortForward, tunnelProtocol } from './server/port-forward.ts';
import { serveSpdySession } from './server/spdy-session.ts';
import { localPod, loggedRun, runningRun, type FindPod } from './server/target.ts';
import { channelProtocols, serveWebSocket, type SessionWishes } from './server/web-socket-session.ts';

export interface AgentTls {
  /** The server's certificate; as long as there is none, nobody can connect. */
  readonly serving: LivePair;
  /** PEM of the authorities that clients' certificates may be from. */
  readonly trust: LiveValue<string>;
}

export interface AgentServerOptions {
  readonly runtime: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls: AgentTls;
  /** Common name of the one client that is let in. */
  readonly clientName: string;
  readonly nodeIp: string;
  readonly find: FindPod;
  readonly reports: NodeReports;
}

export interface AgentServer {
  listen(at: { readonly host: string; readonly port: number }): Promise<{ readonly port: number; close(): Promise<void> }>;
}

/** Bounds on what a client may send at a time. */
const limits = { messageBytes: 4 * 2 ** 20, headerBytes: 64 * 1024, commandWords: 4096 } as const;

interface Route { readonly verb: string; readonly namespace: string; readonly pod: string; readonly container: string; readonly query: URLSearchParams }

const routeOf = (url: string): Route => {
  const parsed = new URL(url, 'https://agent');
  const [verb = '', namespace = '', pod = '', container = '', ...rest] = parsed.pathname.slice(1).split('/').map(decodeURIComponent);
  if (rest.length > 0) throw new ApiError('NotFound', 'the server could not find the requested resource');
  return { verb, namespace, pod, container, query: parsed.searchParams };
};

const errorOf = (error: unknown): ApiError => {
  if (error instanceof ApiError) return error;
  if (error instanceof URIError) return badRequest('the path is not well encoded');
  return new ApiError('InternalError', error instanceof Error ? error.message : String(error));
};

export const createAgentServer = (options: AgentServerOptions): AgentServer => {
  const { tls, log } = options;
  const sockets = new WebSocketServer({
    noServer: true, maxPayload: limits.messageBytes, perMessageDeflate: false,
    // Exec takes the newest that is offered; a client of port forwarding that offers versions of exec takes the fourth.
    handleProtocols: (offered, request) => {
      const known = request.url?.startsWith('/portForward/') === true ? [tunnelProtocol, 'v4.channel.k8s.io'] : channelProtocols;
      return known.find((protocol) => offered.has(protocol)) ?? false;
    },
  });
  const server: Server = createServer({ ...tls.serving.current, ca: tls.trust.current, requestCert: true, rejectUnauthorized: true, maxHeaderSize: limits.headerBytes });
  const clients = new TrustedClients();
  const useTls = (): void => server.setSecureContext({ ...tls.serving.current, ca: tls.trust.current });
  const forget = [
    tls.serving.onReplaced(useTls),
    tls.trust.onReplaced((authorities) => {
      useTls();
      clients.trust(authorities);
    }),
  ];
  server.on('secureConnection', (socket) => {
    clients.add(socket);
    socket.on('error', () => undefined);
  });

  const allow = (request: IncomingMessage): void => {
    const name = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    if (name !== options.clientName) throw new ApiError('Forbidden', `only the API server may ask this agent, not ${JSON.stringify(name ?? '')}`);
  };
  const fail = (response: ServerResponse, error: unknown): void => {
    const known = errorOf(error);
    if (known.code >= 500) log.warn('a request to the agent failed', { error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = JSON.stringify(known.toStatus());
    response.writeHead(known.code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  };

  server.on('request', (request, response) => {
    answer(options, request, response, allow).catch((error: unknown) => fail(response, error));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    upgrade(options, { request, socket, head, sockets }, allow).catch((error: unknown) => {
      const response = new http.ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as Socket);
      response.on('finish', () => socket.end());
      fail(response, error);
    });
  });

  return {
    listen: ({ host, port }) => new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => log.error('the agent\'s server failed', { error }));
        resolve({
          port: (server.address() as AddressInfo).port,
          close: () => new Promise((done) => {
            for (const off of forget) off();
            server.close(() => done());
            clients.cutAll();
          }),
        });
      });
    }),
  };
};

const answer = async (options: AgentServerOptions, request: IncomingMessage, response: ServerResponse, allow: (request: IncomingMessage) => void): Promise<void> => {
  allow(request);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && await options.reports.answer((request.url ?? '/').split('?', 1)[0]!, response)) return;
  const route = routeOf(request.url ?? '/');
  if (route.verb === 'exec' || route.verb === 'attach' || route.verb === 'portForward') throw badRequest('you must upgrade the connection');
  if (route.verb !== 'containerLogs') throw new ApiError('NotFound', 'the server could not find the requested resource');
  if (request.method !== 'GET') throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
  const wanted = logRequest(route.query, options.clock);
  const local = localPod(options.find, route.namespace, route.pod, route.container);
  await sendLogs(options.runtime, loggedRun(local, route.container, wanted.previous).id, wanted, response);
};

interface Upgrade { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer; readonly sockets: WebSocketServer }

const upgrade = async (options: AgentServerOptions, { request, socket, head, sockets }: Upgrade, allow: (request: IncomingMessage) => void): Promise<void> => {
  allow(request);
  const route = routeOf(request.url ?? '/');
  const kind = (request.headers.upgrade ?? '').toLowerCase();
  if (kind !== 'websocket' && kind !== 'spdy/3.1') throw badRequest(`an upgrade to ${JSON.stringify(request.headers.upgrade ?? '')} is not known: use websocket or SPDY/3.1`);
  if (route.verb === 'portForward') {
    const { pod, sandboxes } = localPod(options.find, route.namespace, route.pod);
    const host = pod.spec?.hostNetwork === true ? options.nodeIp : sandboxes.at(-1)?.ip;
    if (host === undefined) throw badRequest(`pod ${route.pod} has no address: it is not running`);
    return servePortForward({ request, socket, head, sockets, host, query: route.query });
  }
  if (route.verb !== 'exec' && route.verb !== 'attach') throw new ApiError('NotFound', 'the server could not find the requested resource');
  const { wishes, start } = sessionOf(options, route);
  if (kind === 'spdy/3.1') return serveSpdySession({ request, socket, head, clock: options.clock, start, wishes });
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  if (!channelProtocols.some((protocol) => offered.includes(protocol))) throw badRequest(`none of the offered protocols is known; known are ${channelProtocols.join(', ')}`);
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    void serveWebSocket(webSocket, start, wishes);
  });
};

const sessionOf = (options: AgentServerOptions, { verb, namespace, pod, container, query }: Route): { readonly wishes: SessionWishes; readonly start: () => Promise<ExecSession> } => {
  const local = localPod(options.find, namespace, pod, container);
  const run = runningRun(local, container);
  const command = query.getAll('command');
  if (verb === 'exec' && command.length === 0) throw badRequest('you must specify at least one command for the container');
  if (command.length > limits.commandWords) throw badRequest(`a command may have at most ${limits.commandWords} words`);
  // An attached terminal is the container's own, whatever the client asks for.
  const tty = verb === 'exec' ? flag(query, 'tty') : allContainers(local.pod).find(({ name }) => name === container)?.tty ?? false;
  const wishes = { stdin: flag(query, 'stdin'), stdout: flag(query, 'stdout'), stderr: flag(query, 'stderr'), tty };
  if (!wishes.stdin && !wishes.stdout && !wishes.stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  return {
    wishes,
    start: () => (verb === 'exec' ? options.runtime.exec(run.id, { command, stdin: wishes.stdin, tty }) : options.runtime.attach(run.id, { stdin: wishes.stdin, tty })),
  };
};
