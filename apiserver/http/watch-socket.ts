import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Counter } from '../../base/metrics/metrics.ts';
import type { WatchEvent } from '../../schemas/api.ts';
import { badRequest } from '../../schemas/errors.ts';
import type { HttpContext } from './exchange.ts';
import { pumpEvents, type EventEncoder } from './watch-stream.ts';

/** Bytes that wait in a socket before its watch pauses. */
const highWaterBytes = 1024 * 1024;
/** Clients have nothing to say on a watch. */
const maxMessageBytes = 4 * 1024;

const acceptor = new WebSocketServer({
  noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: maxMessageBytes,
  // Any protocol that is asked for will do, but a bearer token dressed as one is never sent back.
  handleProtocols: (protocols) => [...protocols].find((one) => !one.startsWith('base64url.bearer.')) ?? false,
});

/** Why a handshake cannot become a WebSocket, or undefined; `ws` would answer it with a page of its own. */
const whyNoWebSocket = ({ method, headers }: IncomingMessage): string | undefined => {
  if (method !== 'GET') return 'a WebSocket must be asked for with GET';
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')) return 'the header Sec-WebSocket-Key must be 16 bytes in base64';
  const version = headers['sec-websocket-version'];
  return version === '13' || version === '8' ? undefined : 'the header Sec-WebSocket-Version must be 13';
};

export interface WatchSocketOptions {
  readonly context: HttpContext;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly open: (signal: AbortSignal) => AsyncIterable<readonly WatchEvent[]>;
  readonly encode: EventEncoder;
  readonly sent: Counter;
}

/** A watch as a WebSocket: one text message an event. Rejects before the upgrade when the watch is refused. */
export const streamToSocket = async ({ request, socket, head, ...options }: WatchSocketOptions): Promise<void> => {
  const why = whyNoWebSocket(request);
  if (why !== undefined) throw badRequest(why);
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  let web: WebSocket | undefined;
  let waiting: (() => void) | undefined;
  const written = (): void => {
    if ((web?.bufferedAmount ?? 0) <= highWaterBytes) waiting?.();
  };
  await pumpEvents({ ...options, gone: gone.signal, sink: {
    start: () => {
      acceptor.handleUpgrade(request, socket, head, (opened) => {
        web = opened;
        web.on('error', () => socket.destroy());
      });
      if (web === undefined) gone.abort(); // ws has answered a handshake that is none
    },
    write: (lines) => {
      for (const line of lines) web?.send(line.subarray(0, -1), { binary: false }, written);
      return (web?.bufferedAmount ?? 0) <= highWaterBytes;
    },
    onDrain: (callback) => {
      waiting = callback;
      return () => { waiting = undefined; };
    },
    end: () => web?.close(options.context.closing.aborted ? 1001 : 1000),
    drop: () => socket.destroy(),
  } });
};
