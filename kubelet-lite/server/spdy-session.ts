/** Exec and attach over SPDY/3.1, for kubectl before 1.30: one stream for each direction, and one for the status. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { sleep, type Clock } from '../../base/clock.ts';
import { badRequest } from '../../schemas/errors.ts';
import type { ExecSession } from '../runtime/runtime.ts';
import { socketTransport } from './byte-transport.ts';
import { exitStatus, failureStatus, type SessionStatus } from './session-status.ts';
import { SpdyConnection, type SpdyStream } from './spdy.ts';
import { sizeOf, type SessionWishes } from './web-socket-session.ts';

const protocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const;

/** A client that does not open all of its streams within this time is left. */
const streamsMs = 30_000;
/** Longest resize message that is taken for one. */
const resizeBytes = 1024;

/** Switches the connection to SPDY/3.1 with a protocol that both sides know; throws BadRequest when there is none. */
export const acceptSpdy = (request: IncomingMessage, socket: Duplex, known: readonly string[]): string => {
  const offered = [request.headers['x-stream-protocol-version'] ?? ''].flat().flatMap((value) => value.split(',')).map((one) => one.trim());
  const protocol = known.find((one) => offered.includes(one));
  if (protocol === undefined) throw badRequest(`none of the offered stream protocols is known; known are ${known.join(', ')}`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`);
  return protocol;
};

export interface SpdySession {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly clock: Clock;
  readonly start: () => Promise<ExecSession>;
  readonly wishes: SessionWishes;
}

export const serveSpdySession = async ({ request, socket, head, clock, start, wishes }: SpdySession): Promise<void> => {
  const protocol = acceptSpdy(request, socket, protocols);
  const wanted = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wishes[name] && !(name === 'stderr' && wishes.tty)), ...(wishes.tty && protocol >= 'v3' ? ['resize'] : [])];
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<boolean>();
  const connection = new SpdyConnection(socketTransport(socket, head), (stream) => {
    streams.set(stream.headers.get('streamtype') ?? '', stream);
    if (wanted.every((type) => streams.has(type))) complete.resolve(true);
  });
  const waiting = new AbortController();
  void sleep(clock, streamsMs, waiting.signal).then(() => complete.resolve(false));
  const running = connection.run().catch(() => undefined).finally(() => complete.resolve(false));
  const allThere = await complete.promise;
  waiting.abort();
  if (!allThere) {
    socket.destroy();
    return;
  }
  const end = async (status: SessionStatus): Promise<void> => {
    const words = protocol.startsWith('v4') ? JSON.stringify(status) : status.status === 'Failure' ? status.message ?? '' : '';
    if (words !== '') await streams.get('error')?.write(Buffer.from(words));
    for (const stream of streams.values()) await stream.end();
    connection.close();
  };
  let session: ExecSession;
  try {
    session = await start();
  } catch (error) {
    return end(failureStatus(error));
  }
  void running.then(() => session.close());
  const feed = async (): Promise<void> => {
    for await (const chunk of streams.get('stdin')?.input ?? []) await session.write(chunk);
    if (wishes.stdin) session.closeInput();
  };
  const resize = async (): Promise<void> => {
    let text = '';
    for await (const chunk of streams.get('resize')?.input ?? []) {
      text = (text + chunk.toString('utf8')).slice(-resizeBytes);
      const size = sizeOf(text.slice(text.lastIndexOf('{')));
      if (size === undefined) continue;
      text = '';
      await session.resize(size.columns, size.rows);
    }
  };
  feed().catch(() => undefined);
  resize().catch(() => undefined);
  try {
    for await (const { stream, data } of session.output) await streams.get(stream)?.write(data);
    await end(exitStatus(await session.exit));
  } catch (error) {
    await end(failureStatus(error));
  }
};
