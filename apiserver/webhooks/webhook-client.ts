/**
 * Calls webhooks: a POST of JSON over HTTPS to a URL or to a service of the cluster, and a JSON answer. A webhook is
 * somebody else's program. It gets no certificate of this server, its redirects are not followed, its answer is bounded
 * in size and depth, its time in seconds, and its connections in number, so that one that hangs holds nothing but the
 * requests that need it.
 */
import { Agent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { WebhookClientConfig } from '../../schemas/types/admission-rules.ts';
import { checkBody } from '../json-limits.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import { Agents } from './agents.ts';
import { targetOf, type WebhookTarget } from './webhook-target.ts';

/** Why a webhook gave no answer that can be used. The message is about the call; callers say for what it was. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';
}

export interface WebhookCall {
  readonly config: WebhookClientConfig;
  /** What is sent, as JSON. */
  readonly body: unknown;
  /** For everything: waiting for a connection, dialing, sending and reading. */
  readonly timeoutMs: number;
  /** Whoever waits does so no more. */
  readonly signal?: AbortSignal | undefined;
}

export interface WebhookClient {
  /** The parsed answer. Rejects with WebhookCallError when there is none in time, or it is none. */
  post(call: WebhookCall): Promise<unknown>;
  /** Ends idle connections; calls that are on their way go on. */
  close(): void;
}

export interface WebhookClientOptions {
  /** Where services and their endpoints are looked up. */
  readonly cache: WatchCache;
  readonly clock: Clock;
  /** Uniform in [0, 1): picks among the endpoints of a service. */
  readonly random: () => number;
}

/** Largest answer that is read: a patch can be as large as an object, and base64 makes it a third larger. */
export const maxAnswerBytes = 8 * 1024 * 1024;

export const createWebhookClient = ({ cache, clock, random }: WebhookClientOptions): WebhookClient => {
  const agents = new Agents();
  return {
    post: async ({ config, body, timeoutMs, signal }) => {
      const target = targetOf(cache, config, random);
      if (typeof target === 'string') throw new WebhookCallError(target);
      const path = `${target.path}?timeout=${Math.ceil(timeoutMs / 1_000)}s`;
      const shown = `Post "https://${target.name}${target.shownPort}${path}"`;
      const text = Buffer.from(JSON.stringify(body));
      const limit = new AbortController();
      const cancel = clock.after(timeoutMs, () => limit.abort(new Error('context deadline exceeded')));
      const both = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
      try {
        return await exchange({ target, path, body: text, agent: agents.of(target, config.caBundle), signal: both });
      } catch (error) {
        const why = limit.signal.aborted ? 'context deadline exceeded' : error instanceof Error ? error.message : String(error);
        throw new WebhookCallError(`${shown}: ${why}`);
      } finally {
        cancel();
      }
    },
    close: () => agents.close(),
  };
};

interface Exchange {
  readonly target: WebhookTarget;
  readonly path: string;
  readonly body: Buffer;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/** A kept connection may have been closed by the other side just now: then the call is sent once more, on a new one. */
const exchange = async (call: Exchange): Promise<unknown> => {
  const request = open(call, call.agent);
  try {
    return await readAnswer(await responseOf(request, call.body));
  } catch (error) {
    const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET' && !call.signal.aborted;
    if (!isStale) throw error;
    return readAnswer(await responseOf(open(call, call.agent), call.body));
  }
};

const open = ({ target, path, body, signal }: Exchange, agent: Agent): ClientRequest => httpsRequest({
  host: target.host, port: target.port, path, method: 'POST', agent, signal,
  headers: { host: `${target.name}${target.shownPort}`, 'content-type': 'application/json', accept: 'application/json', 'content-length': body.length, 'user-agent': 'barge-apiserver' },
});

const responseOf = (request: ClientRequest, body: Buffer): Promise<IncomingMessage> => new Promise((resolve, reject) => {
  request.once('response', resolve);
  request.once('error', reject);
  request.end(body);
});

const readAnswer = async (answer: IncomingMessage): Promise<unknown> => {
  const code = answer.statusCode ?? 0;
  if (code < 200 || code > 299) {
    answer.destroy();
    throw new Error(code >= 300 && code <= 399 ? `redirects are not followed (${code})` : `the server answered ${code} ${answer.statusMessage ?? ''}`.trimEnd());
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) {
      answer.destroy();
      throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Error('the answer is no JSON');
  }
  checkBody(value, maxAnswerBytes);
  return value;
};
