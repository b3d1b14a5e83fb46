/**
 * Requests through `proxy` of pods, services and nodes: the core says where they go, here they are carried there and back.
 * Bodies stream both ways, each side held back by the other; redirects are the client's to follow.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { http } from '../../base/node-http.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { UserInfo } from '../../schemas/api.ts';
import type { ProxyTarget } from '../core.ts';
import { announcesBody } from './body.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import { joinSockets } from './join-sockets.ts';
import { unreachable, type ProxyClient } from './proxy-client.ts';
import { answerHeaders, requestHeaders, type Turned } from './proxy-headers.ts';
import { htmlTurner, isTurned } from './proxy-html.ts';
import type { ProxyPath } from './proxy-path.ts';
import { replyError } from './reply.ts';

/** The methods that are passed on, as Kubernetes has it. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const rawQuery = (url: string | undefined): string => {
  const at = url?.indexOf('?') ?? -1;
  return at < 0 ? '' : url!.slice(at);
};

interface Sending {
  readonly context: HttpContext;
  readonly client: ProxyClient;
  readonly request: IncomingMessage;
  readonly user: UserInfo;
  readonly proxied: ProxyPath;
}

const targetOf = ({ context, request, user, proxied }: Sending, isUpgrade: boolean): Promise<ProxyTarget> => {
  const method = request.method ?? 'GET';
  if (!methods.has(method)) throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
  return context.core.proxy({ ...proxied, method, isUpgrade }, user);
};

const sent = ({ client, request, proxied }: Sending, target: ProxyTarget, extra: Readonly<Record<string, string>>): ClientRequest => {
  const query = rawQuery(request.url);
  try {
    return client.request(target, {
      method: request.method ?? 'GET', path: `${proxied.path === '' ? '/' : proxied.path}${query}`, headers: { ...requestHeaders(request, proxied), ...extra },
    });
  } catch (error) {
    // A path or header with characters that may not be sent.
    throw new ApiError('BadRequest', `the request cannot be passed on: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const turnedBy = ({ request, proxied }: Sending, { host, port }: ProxyTarget): Turned => {
  const place = host.includes(':') ? `[${host}]` : host;
  return { prefix: proxied.prefix, hosts: [`${place}:${port}`, place, ...(request.headers.host === undefined ? [] : [request.headers.host])] };
};

/** Passes the body on as it comes. It may take as long as it likes, but a client that sends nothing for requestMs while we wait is left. */
const passBody = ({ context, request }: Sending, upstream: ClientRequest): void => {
  if (!announcesBody(request)) {
    upstream.end();
    return;
  }
  const { clock, limits, unhurried } = context;
  unhurried.add(request.socket);
  let moved = true;
  let cancel = (): void => undefined;
  const look = (): void => {
    if (!moved && !request.isPaused()) {
      request.destroy();
      return;
    }
    moved = false;
    cancel = clock.after(limits.requestMs, look);
  };
  request.on('data', () => { moved = true; });
  request.once('close', () => {
    cancel();
    unhurried.delete(request.socket);
  });
  request.once('error', () => upstream.destroy());
  request.pipe(upstream);
  look();
};

/** Carries one request; resolves when its answer has gone, or rejects with an ApiError as long as nothing was answered. */
export const proxyRequest = async (context: HttpContext, client: ProxyClient, { request, response, user }: Exchange, proxied: ProxyPath): Promise<void> => {
  const sending: Sending = { context, client, request, user, proxied };
  const target = await targetOf(sending, false);
  if (proxied.path === '' && (request.method === 'GET' || request.method === 'HEAD') && target.scheme !== 'agent') {
    // Relative links of a page would lead beside it.
    response.writeHead(301, { Location: `${proxied.prefix}/${rawQuery(request.url)}`, 'Content-Length': 0 }).end();
    return;
  }
  const upstream = sent(sending, target, {});
  const abort = (): void => { upstream.destroy(); };
  context.closing.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve) => {
      response.once('close', () => {
        abort();
        resolve();
      });
      const fail = (error: Error): void => {
        if (response.headersSent || response.destroyed) response.destroy();
        else replyError(response, unreachable(error), request.complete ? {} : { Connection: 'close' });
      };
      upstream.on('error', fail);
      // What switches to another protocol unasked is cut off without an error.
      upstream.once('close', () => {
        if (!response.headersSent) fail(new Error('the connection was closed without an answer'));
      });
      upstream.once('response', (answer) => {
        const turned = turnedBy(sending, target);
        const code = answer.statusCode ?? 0;
        if (code < 200) {
          upstream.destroy(new Error(`the answer has the code ${code}`));
          return;
        }
        const headers = answerHeaders(answer, turned);
        const turner = request.method !== 'HEAD' && code === 200 && isTurned(answer.headers) ? htmlTurner(turned) : undefined;
        if (turner !== undefined) delete headers['content-length'];
        response.writeHead(code, headers);
        response.flushHeaders();
        answer.once('error', () => response.destroy());
        if (turner === undefined) answer.pipe(response);
        else answer.pipe(turner).pipe(response);
      });
      passBody(sending, upstream);
    });
  } finally {
    context.closing.removeEventListener('abort', abort);
  }
};

const headOf = (answer: IncomingMessage, extra: Readonly<Record<string, string>>, turned: Turned): string => {
  const code = answer.statusCode ?? 502;
  const lines = Object.entries({ ...answerHeaders(answer, turned), ...extra }).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${String(one)}\r\n`));
  return `HTTP/1.1 ${code} ${answer.statusMessage || (http.STATUS_CODES[code] ?? '')}\r\n${lines.join('')}\r\n`;
};

export interface ProxyUpgrade extends Sending {
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
}

/** Carries an upgrade: once the other side has switched, bytes go both ways. Rejects with ApiError as long as nothing was answered; resolves when it is. */
export const proxyUpgrade = async ({ socket, head, ...sending }: ProxyUpgrade): Promise<void> => {
  const { context, request } = sending;
  const target = await targetOf(sending, true);
  const upstream = sent(sending, target, { connection: 'Upgrade', upgrade: request.headers.upgrade ?? '' });
  const turned = turnedBy(sending, target);
  const { clock, limits: { drainMs }, closing } = context;
  await new Promise<void>((resolve, reject: (error: ApiError) => void) => {
    const abort = (): void => { upstream.destroy(); };
    socket.once('close', abort);
    upstream.on('error', (error) => reject(unreachable(error)));
    upstream.once('close', () => reject(unreachable(new Error('the connection was closed without an answer'))));
    upstream.once('response', (answer) => {
      const code = answer.statusCode ?? 0;
      if (code < 200) {
        upstream.destroy(new Error(`the answer has the code ${code}`));
        return;
      }
      // It would not switch: its answer is the client's, whose connection has left HTTP here and ends with it.
      socket.write(headOf(answer, { connection: 'close' }, turned));
      answer.once('error', () => socket.destroy());
      answer.pipe(socket);
      resolve();
    });
    upstream.once('upgrade', (answer, behind, first) => {
      socket.write(headOf(answer, { connection: 'Upgrade', upgrade: answer.headers.upgrade ?? '' }, turned));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) behind.write(head);
      joinSockets(socket, behind, { clock, drainMs });
      const close = (): void => { socket.destroy(); };
      closing.addEventListener('abort', close, { once: true });
      socket.once('close', () => closing.removeEventListener('abort', close));
      resolve();
    });
    upstream.end();
  });
};
