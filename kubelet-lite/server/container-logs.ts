import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { badRequest } from '../../schemas/errors.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import type { ContainerLogs } from '../runtime/runtime.ts';

export interface LogRequest {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
  readonly limitBytes: number | undefined;
}

/** As Go's ParseBool, with the empty value of `?follow` for true. */
export const flag = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name);
  if (value === null || /^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  if (/^(1|t|T|true|TRUE|True|)$/.test(value)) return true;
  throw badRequest(`query parameter ${name}: ${JSON.stringify(value)} is neither true nor false`);
};

const whole = (query: URLSearchParams, name: string, least: number): number | undefined => {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least) throw badRequest(`query parameter ${name}: ${JSON.stringify(value)} is not a whole number of at least ${least}`);
  return number;
};

/** The query of a log request; throws BadRequest that names the parameter. */
export const logRequest = (query: URLSearchParams, clock: Clock): LogRequest => {
  const sinceSeconds = whole(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  const sinceTimeMs = sinceTime === null ? undefined : timeMs(sinceTime);
  if (sinceTime !== null && sinceTimeMs === undefined) throw badRequest(`query parameter sinceTime: ${JSON.stringify(sinceTime)} is no RFC 3339 time`);
  if (sinceTime !== null && sinceSeconds !== undefined) throw badRequest('at most one of sinceTime or sinceSeconds may be specified');
  return {
    follow: flag(query, 'follow'), previous: flag(query, 'previous'), timestamps: flag(query, 'timestamps'),
    tailLines: whole(query, 'tailLines', 0), limitBytes: whole(query, 'limitBytes', 1),
    sinceMs: sinceSeconds === undefined ? sinceTimeMs : clock.now() - sinceSeconds * 1000,
  };
};

/** Writes the log of a run into the answer as it comes; ends with the run when it follows, and when the client goes. */
export const sendLogs = async (runtime: ContainerLogs, id: string, request: LogRequest, response: ServerResponse): Promise<void> => {
  const abort = new AbortController();
  response.on('close', () => abort.abort());
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  let left = request.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const { data } of runtime.logs(id, request, abort.signal)) {
    const part = data.length > left ? data.subarray(0, left) : data;
    left -= part.length;
    if (!response.write(part)) {
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        abort.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (left <= 0 || abort.signal.aborted) break;
  }
  abort.abort();
  response.end();
};
