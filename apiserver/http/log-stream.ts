import type { ConnectRequest } from '../core.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import { dialError, errorFromAgent, type NodeClient } from './node-client.ts';
import { replyError } from './reply.ts';

/**
 * Streams a container's log from its node's agent as it comes, each piece at once. Whichever side goes first takes the
 * other with it: a reader that leaves ends the agent's work, an agent that breaks off cuts the reader's stream, so that
 * nobody takes half a log for a whole one. Resolves when the stream is over.
 */
export const streamLog = async (context: HttpContext, nodes: NodeClient, exchange: Exchange, request: ConnectRequest): Promise<void> => {
  const { response, user } = exchange;
  const target = await context.core.connect(request, user);
  const upstream = nodes.request(target, 'GET', { Accept: '*/*' });
  const abort = (): void => { upstream.destroy(); };
  context.closing.addEventListener('abort', abort, { once: true });
  response.once('close', abort);
  try {
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      upstream.once('error', (error) => {
        if (response.headersSent || response.destroyed) response.destroy();
        else {
          context.log.warn('cannot reach a node\'s agent', { host: target.host, port: target.port, error: error.message });
          replyError(response, dialError(error));
        }
      });
      upstream.once('response', (answer) => {
        if (answer.statusCode !== 200) {
          errorFromAgent(answer).then((error) => replyError(response, error), () => response.destroy());
          return;
        }
        response.writeHead(200, {
          'Content-Type': answer.headers['content-type'] ?? 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff',
        });
        response.flushHeaders();
        exchange.audit?.started(200);
        answer.once('aborted', () => response.destroy());
        answer.pipe(response);
      });
      upstream.end();
    });
  } finally {
    context.closing.removeEventListener('abort', abort);
  }
};
