/** Takes requests from the server: who asks, what for, and an answer that is always well-formed, whatever goes wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import { ApiError } from '../../schemas/errors.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { checkHead, splitUrl, type Exchange, type HttpContext } from './exchange.ts';
import { actorOf, foreignOrigin, isOfLocalProxy } from './identity.ts';
import type { NodeClient } from './node-client.ts';
import { proxyRequest } from './proxy.ts';
import type { ProxyClient } from './proxy-client.ts';
import { parseProxyPath, resourceOf } from './proxy-path.ts';
import { handleResource } from './resources.ts';
import { noSuchResource, parseResourcePath } from './resource-path.ts';
import { createRoutes, type RouteOptions } from './routes.ts';
import { giveServerMaterial, type MaterialSource } from './server-material.ts';
import { serverMaterialPath } from '../../schemas/cluster-info.ts';

export interface AppOptions extends RouteOptions {
  readonly context: HttpContext;
  readonly nodes: NodeClient;
  readonly proxy: ProxyClient;
  readonly authenticator: Authenticator;
  readonly serverMaterial: MaterialSource | undefined;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const allowed = { Allow: 'GET, HEAD' };
const isRead = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

/** The fixed paths (discovery, OpenAPI, health, version), by Koa. Handlers answer on the Node response; Koa only carries them there. */
const createFixed = (options: AppOptions): Handler => {
  const { reception } = options.context;
  const app = new Koa({ env: 'production' });
  app.silent = true;
  const router = createRoutes(options);
  app.use(async (ctx, next) => {
    ctx.respond = false;
    try {
      await next();
    } catch (error) {
      reception.fail(ctx.req, ctx.res, error, ctx.state['fixed'] === true ? allowed : {});
    }
  });
  app.use(router.routes());
  app.use((ctx) => {
    // A path that is known but not for this method leaves its matches behind.
    if (!isRead(ctx.method) && router.match(ctx.path, 'GET').route) {
      ctx.state['fixed'] = true;
      throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
    }
    throw noSuchResource();
  });
  return app.callback() as Handler;
};

/**
 * The request listener of the server. Resources are answered at once: they are nearly all of the traffic, and a router
 * and its objects would cost each of them more than the look-up in the watch cache.
 */
export const createApp = (options: AppOptions): Listener => {
  const { context, authenticator, nodes, proxy } = options;
  const { reception } = context;
  const fixed = createFixed(options);
  const exchangeOf = (request: IncomingMessage, response: ServerResponse): Exchange => {
    checkHead(request, context.limits);
    const user = actorOf(authenticator, context.authorizer, request);
    const foreign = foreignOrigin(request);
    if (foreign !== undefined && !isOfLocalProxy(request)) throw new ApiError('Forbidden', foreign);
    return { request, response, user, ...splitUrl(request.url ?? '/') };
  };
  const handleFixed = (exchange: Exchange): Promise<void> => {
    const { request, response, user, pathname } = exchange;
    if (pathname === serverMaterialPath) return giveServerMaterial(context, exchange, options.serverMaterial);
    requireAccess(context.authorizer, { user, verb: (request.method ?? 'GET').toLowerCase(), path: pathname });
    return fixed(request, response);
  };
  return (request, response) => {
    request.once('error', () => undefined); // a client that goes away; what waits for its body is told by itself
    try {
      const exchange = exchangeOf(request, response);
      const path = parseResourcePath(exchange.pathname);
      const proxied = path === undefined || path.subresource === 'proxy' ? parseProxyPath(exchange.pathname) : undefined;
      if (proxied !== undefined) {
        reception.receive(exchange, resourceOf(proxied), () => proxyRequest(context, proxy, exchange, proxied));
        return;
      }
      reception.receive(exchange, path, path === undefined ? () => handleFixed(exchange) : () => handleResource(context, nodes, exchange, path));
    } catch (error) {
      reception.turnAway(request, response, error);
    }
  };
};
