/** Writes answers. Every one has a length or is chunked, says its type, and an error is always a Status. */
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, createGzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { dump } from 'js-yaml';
import type { ApiList } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { takesGzip } from './accept.ts';
import { ListBytes, pieceBytes } from './list-bytes.ts';
import { isPretty, prettyText } from './pretty.ts';

/** Bodies from this size on are compressed for clients that take it; below, the time costs more than the bytes. */
export const gzipFromBytes = 128 * 1024;

const compress = promisify(gzip);
const fastest = { level: constants.Z_BEST_SPEED };

/** Warning headers (RFC 7234, code 299). Their text is made printable ASCII and kept to 4 KiB altogether. */
export const warningHeaders = (warnings: readonly string[]): OutgoingHttpHeaders => {
  if (warnings.length === 0) return {};
  let left = 4_096;
  const lines: string[] = [];
  for (const warning of warnings) {
    const text = warning.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, Math.min(left, 1_024));
    left -= text.length;
    if (text.length > 0) lines.push(`299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`);
  }
  return { Warning: lines };
};

const noCache = 'no-cache, private';

/** An answer of JSON that is at hand as a whole. A text of ASCII goes behind the headers into one write, without being encoded. */
export const replyBytes = async (request: IncomingMessage, response: ServerResponse, code: number, json: Buffer | string, headers: OutgoingHttpHeaders = {}): Promise<void> => {
  const length = Buffer.byteLength(json);
  const zip = length >= gzipFromBytes && takesGzip(request.headers['accept-encoding']);
  const body = zip ? await compress(json, fastest) : json;
  if (response.destroyed || response.headersSent) return; // gone, or given up meanwhile
  response.writeHead(code, {
    'Content-Type': 'application/json', 'Cache-Control': noCache, ...headers,
    ...(zip ? { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } : {}), 'Content-Length': zip ? body.length : length,
  });
  if (typeof body === 'string') response.end(body, length === body.length ? 'latin1' : 'utf8');
  else response.end(body);
};

/** An answer that is a value to be written as JSON. */
export const replyJson = (request: IncomingMessage, response: ServerResponse, code: number, value: unknown, headers?: OutgoingHttpHeaders): Promise<void> =>
  replyBytes(request, response, code, isPretty(request) ? prettyText(value) : `${JSON.stringify(value)}\n`, headers);

/** An answer that is a value to be written as YAML. */
export const replyYaml = (request: IncomingMessage, response: ServerResponse, code: number, value: unknown, headers: OutgoingHttpHeaders): Promise<void> =>
  replyBytes(request, response, code, dump(value, { noRefs: true, lineWidth: -1 }), { ...headers, 'Content-Type': 'application/yaml' });

export const replyText = (response: ServerResponse, code: number, text: string): void => {
  const body = Buffer.from(text);
  response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff', 'Cache-Control': noCache, 'Content-Length': body.length });
  response.end(body);
};

/** A list as a join of its items' bytes; compressed as it goes out where that pays. */
export const replyList = async (request: IncomingMessage, response: ServerResponse, list: ApiList, headers: OutgoingHttpHeaders): Promise<void> => {
  if (isPretty(request)) return replyJson(request, response, 200, { kind: list.kind, apiVersion: list.apiVersion, metadata: list.metadata, items: list.items }, headers);
  const bytes = new ListBytes(list);
  if (bytes.length < pieceBytes) return replyBytes(request, response, 200, bytes.whole(), headers);
  const common = { 'Content-Type': 'application/json', 'Cache-Control': noCache, ...headers };
  const zip = takesGzip(request.headers['accept-encoding']);
  if (response.destroyed || response.headersSent) return;
  response.writeHead(200, zip ? { ...common, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } : { ...common, 'Content-Length': bytes.length });
  if (!zip) {
    await writePieces(response, bytes.pieces());
    response.end();
    return;
  }
  const gzip = createGzip(fastest);
  try {
    await Promise.all([pipeline(gzip, response), writePieces(gzip, bytes.pieces()).then(() => gzip.end())]);
  } catch (error) {
    // A reader that goes away in the middle is no failure of the server's.
    if (!response.destroyed) throw error;
  }
};

/** Writes pieces one by one, each when the one before is gone; resolves when all are, or when nobody takes them any more. */
const writePieces = (out: Writable, pieces: Iterator<Buffer, void>): Promise<void> => new Promise((resolve) => {
  const next = (): void => {
    const { done, value } = out.destroyed ? { done: true } : pieces.next();
    if (done === true) {
      out.off('close', resolve);
      resolve();
    } else {
      out.write(value, next);
    }
  };
  out.once('close', resolve);
  next();
});

/**
 * An error as a Status. `Retry-After` is sent where the error says after how long it may be worth another try. `finish`
 * sends the body and ends the answer, at once where absent.
 */
export const replyError = (response: ServerResponse, error: ApiError, headers: OutgoingHttpHeaders = {}, finish = (body: Buffer): unknown => response.end(body)): void => {
  if (response.writableEnded) return;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status = error.toStatus();
  const body = Buffer.from(isPretty(response.req) ? prettyText(status) : `${JSON.stringify(status)}\n`);
  const retry = error.details?.retryAfterSeconds;
  response.writeHead(error.code, {
    'Content-Type': 'application/json', 'Cache-Control': noCache, ...(retry === undefined ? {} : { 'Retry-After': String(retry) }),
    ...headers, 'Content-Length': body.length,
  });
  finish(body);
};
