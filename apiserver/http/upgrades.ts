/** Requests that want to leave HTTP: watches over WebSocket, and the streams of pods. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { http } from '../../base/node-http.ts';
import type { ResourcePath } from '../../schemas/api.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import { columnsFor } from '../table.ts';
import { asApiError, checkHead, splitUrl, type Exchange, type HttpContext } from './exchange.ts';
import { actorOf, foreignOrigin, isOfLocalProxy } from './identity.ts';
import type { NodeClient } from './node-client.ts';
import { proxyUpgrade } from './proxy.ts';
import type { ProxyClient } from './proxy-client.ts';
import { parseProxyPath, resourceOf, type ProxyPath } from './proxy-path.ts';
import { readRequest, routeRequest, streamOf } from './requests.ts';
import { noSuchResource, parseResourcePath } from './resource-path.ts';
import { includeObjectOf, representationOf } from './resources.ts';
import { openTunnel } from './tunnel.ts';
import { streamToSocket } from './watch-socket.ts';
import { eventEncoder } from './watch-stream.ts';

const upgrades = new Set(['websocket', 'spdy/3.1']);

/** What is spoken behind a proxy is the application's affair. */
const throughProxy = (url: string | undefined): ProxyPath | undefined => (url?.includes('/proxy') === true ? parseProxyPath(splitUrl(url).pathname) : undefined);

const proxies = (request: IncomingMessage): boolean => {
  try {
    return throughProxy(request.url) !== undefined;
  } catch {
    return false;
  }
};

/** True for the upgrades that are spoken here, or behind a proxy; a request for any other one is answered as if it had not asked. */
export const isUpgrade = (request: IncomingMessage): boolean =>
  ((request.method === 'GET' || request.method === 'POST') && upgrades.has((request.headers.upgrade ?? '').toLowerCase())) || proxies(request);

/** Answers a socket that has left the HTTP server with a Status and closes it. */
export const refuseUpgrade = (socket: Duplex, error: ApiError): void => {
  if (socket.destroyed) return;
  const body = Buffer.from(`${JSON.stringify(error.toStatus())}\n`);
  const head = `HTTP/1.1 ${error.code} ${http.STATUS_CODES[error.code] ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), body]));
};

export interface UpgradeOptions {
  readonly context: HttpContext;
  readonly nodes: NodeClient;
  readonly proxy: ProxyClient;
  readonly authenticator: Authenticator;
}

const upgrade = async ({ context, nodes, proxy, authenticator }: UpgradeOptions, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
  checkHead(request, context.limits);
  const user = actorOf(authenticator, context.authorizer, request);
  const foreign = foreignOrigin(request);
  if (foreign !== undefined && !isOfLocalProxy(request)) throw new ApiError('Forbidden', foreign);
  const { pathname, query } = splitUrl(request.url ?? '/');
  const proxied = throughProxy(request.url);
  if (proxied !== undefined) {
    await context.reception.upgrade({ request, user, query, pathname }, resourceOf(proxied), socket, () => proxyUpgrade({ context, client: proxy, request, user, proxied, socket, head }));
    return;
  }
  const path = parseResourcePath(pathname);
  if (path === undefined) {
    requireAccess(context.authorizer, { user, verb: (request.method ?? 'GET').toLowerCase(), path: pathname });
    throw noSuchResource();
  }
  const exchange: Omit<Exchange, 'response'> = { request, user, query, pathname };
  await context.reception.upgrade(exchange, path, socket, () => openStream({ context, nodes, exchange, path, socket, head }));
};

interface StreamOptions {
  readonly context: HttpContext;
  readonly nodes: NodeClient;
  readonly exchange: Omit<Exchange, 'response'>;
  readonly path: ResourcePath;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Opens the stream that a request asks for; rejects with why there is none. */
const openStream = async ({ context, nodes, exchange, path, socket, head }: StreamOptions): Promise<void> => {
  const { request, user, query } = exchange;
  const route = routeRequest(context, exchange, request.method ?? 'GET', path);
  const stream = streamOf(path, route.verb, query);
  if (stream !== undefined && stream.subresource !== 'log') {
    const target = await context.core.connect(stream, user);
    return openTunnel({ context, nodes, target, request, socket, head });
  }
  if (route.verb !== 'watch' || request.headers.upgrade?.toLowerCase() !== 'websocket') throw badRequest('only watches, exec, attach and portforward can be upgraded');
  const representation = representationOf(exchange);
  const table = { version: representation.version, includeObject: includeObjectOf(query), nowMs: context.clock.now() };
  const read = await readRequest(context, exchange, path, route);
  await streamToSocket({
    context, request, socket, head,
    open: (signal) => context.core.watch(read.request, user, signal),
    sent: context.reception.requests.watchEvents(route.kind), encode: eventEncoder(representation, columnsFor(route.kind, undefined), table, context.clock),
  });
};

/** Handles the `upgrade` event of the server. Whatever goes wrong is answered as a Status; nothing is thrown. */
export const createUpgradeHandler = (options: UpgradeOptions) =>
  (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    upgrade(options, request, socket, head).catch((error: unknown) => refuseUpgrade(socket, asApiError(error, options.context.log, request)));
  };
