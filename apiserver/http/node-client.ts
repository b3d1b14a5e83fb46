import { request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { ApiError, statusCodes, type Reason } from '../../schemas/errors.ts';
import type { NodeTarget } from '../core.ts';

/** How the API server shows itself to node agents, and by which CA it knows them. PEM. */
export interface NodeTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Opens requests to node agents. The caller listens for `response`, `upgrade` and `error`, and ends the request. */
export interface NodeClient {
  request(target: NodeTarget, method: string, headers: OutgoingHttpHeaders): ClientRequest;
}

const connectMs = 10_000;

/** A client for agents. Each stream has a connection of its own; an agent that does not answer the dial in 10 s is given up. */
export const createNodeClient = (tls: NodeTls, clock: Clock): NodeClient => ({
  request: (target, method, headers) => {
    const request = httpsRequest({
      host: target.host, port: target.port, path: target.path, method, headers, agent: false,
      ca: tls.ca, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2',
    });
    const cancel = clock.after(connectMs, () => request.destroy(new Error(`no answer from ${target.host}:${target.port} within ${connectMs / 1_000} s`)));
    request.once('socket', (socket) => {
      socket.setKeepAlive(true, 30_000);
      socket.setNoDelay(true);
      socket.once('secureConnect', cancel);
    });
    request.once('close', cancel);
    return request;
  },
});

/** What the client is told when the agent cannot be reached. */
export const dialError = (error: Error): ApiError => new ApiError('InternalError', `error dialing backend: ${error.message}`, undefined, { cause: error });

const maxErrorBytes = 64 * 1024;

const reasonFor = (code: number): Reason => {
  const found = (Object.entries(statusCodes) as [Reason, number][]).find(([, one]) => one === code)?.[0];
  return found ?? (code >= 500 ? 'InternalError' : 'BadRequest');
};

/** The error in an agent's answer: its Status if it sent one, else its text under its code. */
export const errorFromAgent = async (answer: IncomingMessage): Promise<ApiError> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxErrorBytes) break;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  const code = answer.statusCode ?? 500;
  try {
    const body = JSON.parse(text) as { readonly kind?: unknown };
    if (body.kind === 'Status') return ApiError.fromStatus(body as Parameters<typeof ApiError.fromStatus>[0]);
  } catch {
    // not JSON: the text is the message
  }
  // An agent that does not know the API server is a fault of the cluster, not of the client.
  const reason = code === 401 || code === 403 ? 'InternalError' : reasonFor(code);
  return new ApiError(reason, text === '' ? `the node's agent answered ${code}` : text);
};
