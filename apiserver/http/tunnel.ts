/**
 * exec, attach and port-forward: the API server authorizes, then carries bytes. The upgrade request goes on to the
 * node's agent with the headers that belong to the protocol, and the agent's answer comes back; what is spoken after
 * that (WebSocket, SPDY) is between the client and the agent.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiError } from '../../schemas/errors.ts';
import type { NodeTarget } from '../core.ts';
import type { HttpContext } from './exchange.ts';
import { joinSockets } from './join-sockets.ts';
import { dialError, errorFromAgent, type NodeClient } from './node-client.ts';

/** Headers of the request that the agent needs, and of its answer that the client needs. No other header passes. */
const asked = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol', 'x-stream-protocol-version'] as const;
const answered = ['upgrade', 'sec-websocket-accept', 'sec-websocket-protocol', 'x-stream-protocol-version'] as const;

const only = (headers: IncomingMessage['headers'], names: readonly string[]): OutgoingHttpHeaders =>
  Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));

const headerLines = (headers: OutgoingHttpHeaders): string =>
  Object.entries(headers).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${String(one)}\r\n`)).join('');

export interface TunnelOptions {
  readonly context: HttpContext;
  readonly nodes: NodeClient;
  readonly target: NodeTarget;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
}

/** Opens a tunnel. Rejects with ApiError as long as nothing was answered; resolves when it is open. */
export const openTunnel = ({ context, nodes, target, request, socket, head }: TunnelOptions): Promise<void> => new Promise((resolve, reject: (error: ApiError) => void) => {
  const upstream = nodes.request(target, request.method ?? 'GET', {
    ...only(request.headers, asked), Connection: 'Upgrade', Upgrade: request.headers.upgrade, ...(request.method === 'POST' ? { 'Content-Length': 0 } : {}),
  });
  const abort = (): void => { upstream.destroy(); };
  socket.once('close', abort);
  upstream.once('error', (error) => {
    context.log.warn('cannot reach a node\'s agent', { host: target.host, port: target.port, error: error.message });
    reject(dialError(error));
  });
  upstream.once('response', (answer) => {
    errorFromAgent(answer).then(reject, (error: Error) => reject(dialError(error)));
  });
  upstream.once('upgrade', (answer, behind, first) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${headerLines(only(answer.headers, answered))}\r\n`);
    if (first.length > 0) socket.write(first);
    if (head.length > 0) behind.write(head);
    joinSockets(socket, behind, { clock: context.clock, drainMs: context.limits.drainMs });
    const close = (): void => { socket.destroy(); };
    context.closing.addEventListener('abort', close, { once: true });
    socket.once('close', () => context.closing.removeEventListener('abort', close));
    resolve();
  });
  upstream.end();
});
