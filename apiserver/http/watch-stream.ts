/**
 * Watches over HTTP: one JSON line an event, written when it exists. The line of an event is made once for all watchers
 * (encoding.ts). A reader that leaves what was sent unread is waited for, and the core's bounded queue behind it runs
 * full meanwhile; after a time it is dropped, so that no reader holds more than its queue.
 */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Counter } from '../../base/metrics/metrics.ts';
import type { WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { ApiObject, Column } from '../../schemas/kind.ts';
import { eventLineOf } from '../encoding.ts';
import { metadataOf, toTableEvent, type TableOptions } from '../table.ts';
import type { AuditedRequest } from '../audit/auditor.ts';
import type { Representation } from './accept.ts';
import type { HttpContext } from './exchange.ts';

export type EventEncoder = (event: WatchEvent) => Buffer;

const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

/** Writes the events of one stream in the form that its client asked for. */
export const eventEncoder = (representation: Representation, columns: readonly Column<ApiObject>[], table: TableOptions, clock: Pick<Clock, 'now'>): EventEncoder => {
  if (representation.as === 'metadata') return (event) => line({ type: event.type, object: metadataOf(event.object, representation.version) });
  if (representation.as === 'object') return eventLineOf;
  let first = true;
  return (event) => {
    const bytes = line(toTableEvent(event, columns, first, { ...table, nowMs: clock.now() }));
    first = false;
    return bytes;
  };
};

/** The last line of a stream that cannot go on; clients then list again. */
export const errorLine = (error: ApiError): Buffer => line({ type: 'ERROR', object: error.toStatus() });

/** Where the events of a watch go. */
export interface EventSink {
  /** Called once, before the first event and without waiting for one. */
  start(): void;
  /** Sends the lines of some events; false when the reader should be waited for. */
  write(lines: readonly Buffer[]): boolean;
  /** Calls back when all that was written is gone; the returned function takes that back. */
  onDrain(callback: () => void): () => void;
  end(): void;
  /** Cuts the connection. */
  drop(): void;
}

export interface PumpOptions {
  readonly context: HttpContext;
  readonly open: (signal: AbortSignal) => AsyncIterable<readonly WatchEvent[]>;
  readonly encode: EventEncoder;
  /** Takes down that the stream has begun. */
  readonly audit?: AuditedRequest | undefined;
  /** Counts what is sent. */
  readonly sent: Counter;
  readonly sink: EventSink;
  /** Aborts when the reader is gone. */
  readonly gone: AbortSignal;
}

const drained = (options: PumpOptions, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => {
  const { sink, context } = options;
  const done = (good: boolean): void => {
    cancelTimer();
    cancelDrain();
    signal.removeEventListener('abort', aborted);
    resolve(good);
  };
  const aborted = (): void => done(true);
  const cancelTimer = context.clock.after(context.limits.drainMs, () => done(false));
  const cancelDrain = sink.onDrain(() => done(true));
  signal.addEventListener('abort', aborted, { once: true });
});

/**
 * Carries events from the core to a sink until the watch ends, the reader goes or the server closes. What is wrong with
 * the request itself is thrown before anything is written; what happens later becomes an ERROR event.
 */
export const pumpEvents = async (options: PumpOptions): Promise<void> => {
  const { context, sink } = options;
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  options.gone.addEventListener('abort', abort, { once: true });
  context.closing.addEventListener('abort', abort, { once: true });
  if (options.gone.aborted || context.closing.aborted) abort();
  try {
    const iterator = options.open(stop.signal)[Symbol.asyncIterator]();
    sink.start();
    options.audit?.started(200);
    await carry(options, iterator, stop.signal);
    stop.abort();
    await iterator.return?.();
  } finally {
    options.gone.removeEventListener('abort', abort);
    context.closing.removeEventListener('abort', abort);
    stop.abort();
  }
};

const carry = async (options: PumpOptions, iterator: AsyncIterator<readonly WatchEvent[]>, signal: AbortSignal): Promise<void> => {
  const { sink, encode, sent } = options;
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      sent.add(next.value.length);
      const room = sink.write(next.value.map((event) => encode(event)));
      if (!room && !(await drained(options, signal))) {
        options.context.log.info('dropped a watcher that does not read', { afterMs: options.context.limits.drainMs });
        return sink.drop();
      }
      if (options.gone.aborted) return;
    }
  } catch (error) {
    if (options.gone.aborted) return;
    const known = error instanceof ApiError ? error : new ApiError('InternalError', 'Internal error occurred');
    if (known !== error) options.context.log.error('watch failed', { error });
    sink.write([errorLine(known)]);
  }
  sink.end();
};

const frames = new WeakMap<Buffer, Buffer>();

/** A line as a chunk of a chunked body; made once for the line of an event, as the line is. */
const chunkOf = (bytes: Buffer): Buffer => {
  let frame = frames.get(bytes);
  if (frame === undefined) frames.set(bytes, frame = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, chunkEnd]));
  return frame;
};

const chunkEnd = Buffer.from('\r\n');

/**
 * Where the chunks of a response can go without the response: to its socket, once its headers are there. A response makes
 * three writes of a chunk, which it holds back and lets go in a later turn; for a thousand watchers of one event that is
 * more than half of the time.
 */
const chunksTo = (response: ServerResponse): Writable | undefined =>
  (response.chunkedEncoding && response.socket !== null ? response.socket : undefined);

/** Streams a watch as the chunked body of a response; resolves when it has ended. */
export const streamEvents = async ({ response, ...options }: Omit<PumpOptions, 'sink' | 'gone'> & { readonly response: ServerResponse }): Promise<void> => {
  const gone = new AbortController();
  let socket: Writable | undefined;
  response.once('close', () => gone.abort());
  if (response.destroyed) gone.abort();
  await pumpEvents({ ...options, gone: gone.signal, sink: {
    start: () => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private', ...(response.req.httpVersion === '1.1' ? { 'Transfer-Encoding': 'chunked' } : {}) });
      response.flushHeaders();
      socket = chunksTo(response);
    },
    write: (lines) => {
      if (socket !== undefined) return socket.write(lines.length === 1 ? chunkOf(lines[0]!) : Buffer.concat(lines.map(chunkOf)));
      return response.write(lines.length === 1 ? lines[0] : Buffer.concat(lines));
    },
    onDrain: (callback) => {
      const drains = socket ?? response;
      drains.once('drain', callback);
      return () => drains.off('drain', callback);
    },
    end: () => response.end(),
    drop: () => response.destroy(),
  } });
};
