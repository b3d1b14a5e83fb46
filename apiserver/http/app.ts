/** The Koa application: who asks, what for, and an answer that is always well-formed, whatever goes wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import { ApiError } from '../../schemas/errors.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { asApiError, splitUrl, type HttpContext } from './exchange.ts';
import { actorOf, foreignOrigin } from './identity.ts';
import type { NodeClient } from './node-client.ts';
import { replyError } from './reply.ts';
import { handleResource } from './resources.ts';
import { noSuchResource, parseResourcePath } from './resource-path.ts';
import { createRoutes, type RouteOptions } from './routes.ts';

export interface AppOptions extends RouteOptions {
  readonly context: HttpContext;
  readonly nodes: NodeClient;
  readonly authenticator: Authenticator;
}

const allowed = { Allow: 'GET, HEAD' };

/** The request listener of the server. Handlers answer on the Node response; Koa only carries them there. */
export const createApp = (options: AppOptions): ((request: IncomingMessage, response: ServerResponse) => void) => {
  const { context, authenticator, nodes } = options;
  const app = new Koa({ env: 'production' });
  app.silent = true;
  const router = createRoutes(options);

  app.use(async (ctx, next) => {
    ctx.respond = false;
    ctx.req.once('error', () => undefined); // a client that goes away; what waits for its body is told by itself
    try {
      await next();
    } catch (error) {
      const known = asApiError(error, context.log, ctx.req);
      // The rest of a body that nobody read must not be taken for the next request.
      const unread = !ctx.req.complete && ctx.req.method !== 'GET' && ctx.req.method !== 'HEAD';
      replyError(ctx.res, known, unread ? { Connection: 'close' } : known.reason === 'MethodNotAllowed' && ctx.state['fixed'] === true ? allowed : {});
    }
  });
  app.use(async (ctx, next) => {
    const { req: request, res: response } = ctx;
    const user = actorOf(authenticator, context.authorizer, request);
    const foreign = foreignOrigin(request);
    if (foreign !== undefined) throw new ApiError('Forbidden', foreign);
    const { pathname, query } = splitUrl(request.url ?? '/');
    const path = parseResourcePath(pathname);
    if (path !== undefined) return handleResource(context, nodes, { request, response, user, pathname, query }, path);
    requireAccess(context.authorizer, { user, verb: (request.method ?? 'GET').toLowerCase(), path: pathname });
    return next();
  });
  app.use(router.routes());
  app.use((ctx) => {
    // A path that is known but not for this method leaves its matches behind.
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD' && router.match(ctx.path, 'GET').route) {
      ctx.state['fixed'] = true;
      throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
    }
    throw noSuchResource();
  });
  return app.callback() as (request: IncomingMessage, response: ServerResponse) => void;
};
