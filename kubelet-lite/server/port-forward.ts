/**
 * Port forwarding: SPDY/3.1 streams, raw or inside a WebSocket, in pairs of data and errors for each connection; or, for
 * other clients, the channels of one WebSocket.
 */
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { badRequest } from '../../schemas/errors.ts';
import { ByteQueue } from './byte-queue.ts';
import { socketTransport, webSocketTransport, type ByteTransport } from './byte-transport.ts';
import { acceptSpdy } from './spdy-session.ts';
import { SpdyConnection, type SpdyStream } from './spdy.ts';

export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
const spdyProtocol = 'portforward.k8s.io';

/** Ports of one WebSocket; connections of one client that wait for their second stream; bytes held for a port. */
const limits = { ports: 64, halfOpen: 256, heldBytes: 2 ** 20 } as const;

export interface PortForward {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly sockets: WebSocketServer;
  /** The pod's address. */
  readonly host: string;
  readonly query: URLSearchParams;
}

const portOf = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badRequest(`${JSON.stringify(text)} is no port: ports are numbers from 1 to 65535`);
  return port;
};

const dialled = (host: string, port: number): Promise<Socket> => new Promise((resolve, reject) => {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.once('error', reject);
  socket.once('connect', () => {
    socket.off('error', reject);
    socket.on('error', () => socket.destroy());
    resolve(socket);
  });
});

const words = (port: number, error: unknown): string => `error forwarding port ${port} to pod: ${error instanceof Error ? error.message : String(error)}`;

interface Side { readonly input: AsyncIterable<Uint8Array>; write(data: Uint8Array): Promise<void>; end(): Promise<void> }

/** Carries bytes both ways until both sides have ended. */
const join = async (socket: Socket, side: Side): Promise<void> => {
  const out = async (): Promise<void> => {
    try {
      for await (const chunk of side.input) if (!socket.destroyed && !socket.write(chunk)) await new Promise<void>((resolve) => { socket.once('drain', resolve); socket.once('close', () => resolve()); });
    } finally {
      socket.end();
    }
  };
  const back = async (): Promise<void> => {
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) await side.write(chunk);
    } catch {
      // A pod that breaks the connection off has ended it.
    } finally {
      await side.end();
    }
  };
  await Promise.all([out(), back()]);
  socket.destroy();
};

const forwardSpdy = async (transport: ByteTransport, host: string): Promise<void> => {
  const halves = new Map<string, SpdyStream>();
  const open = new Set<Socket>();
  const pair = async (data: SpdyStream, errors: SpdyStream): Promise<void> => {
    const port = Number(data.headers.get('port'));
    try {
      const socket = await dialled(host, portOf(String(port)));
      open.add(socket);
      // When the pod has ended, so has the error stream: kubectl up to 1.30 reads it to its end before it ends its own side.
      const end = async (): Promise<void> => void await Promise.all([data.end(), errors.end()]);
      await join(socket, { input: data.input, write: data.write, end }).finally(() => open.delete(socket));
    } catch (error) {
      await errors.write(Buffer.from(words(port, error)));
    }
    await Promise.all([data.end(), errors.end()]);
  };
  const connection = new SpdyConnection(transport, (stream) => {
    const id = stream.headers.get('requestid') ?? stream.headers.get('port') ?? '';
    const other = halves.get(id);
    if (other === undefined) {
      if (halves.size >= limits.halfOpen) return connection.close();
      halves.set(id, stream);
      return undefined;
    }
    halves.delete(id);
    const [data, errors] = stream.headers.get('streamtype') === 'data' ? [stream, other] : [other, stream];
    void pair(data, errors).catch(() => connection.close());
    return undefined;
  });
  try {
    await connection.run();
  } catch {
    connection.close();
  } finally {
    for (const socket of open) socket.destroy();
  }
};

/** Channels 2i and 2i+1 carry the data and the errors of the i-th port; each begins with the port, as two bytes. */
const forwardChannels = (socket: WebSocket, host: string, ports: readonly number[]): void => {
  const send = (channel: number, data: Uint8Array): Promise<void> => new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    socket.send(Buffer.concat([Buffer.from([channel]), data]), () => resolve());
  });
  const inputs = ports.map(() => new ByteQueue(limits.heldBytes));
  socket.on('message', (data: Buffer) => {
    const input = inputs[(data[0] ?? 255) / 2];
    if (input === undefined) return;
    socket.pause();
    void input.put(data.subarray(1)).then(() => socket.resume());
  });
  const close = (): void => inputs.forEach((input) => input.end());
  socket.on('close', close);
  socket.on('error', close);
  const forward = async (port: number, index: number, input: ByteQueue): Promise<void> => {
    const mark = Buffer.alloc(2);
    mark.writeUInt16LE(port);
    await send(index * 2, mark);
    await send(index * 2 + 1, mark);
    try {
      await join(await dialled(host, port), { input, write: (data) => send(index * 2, data), end: async () => input.end() });
    } catch (error) {
      await send(index * 2 + 1, Buffer.from(words(port, error)));
    }
  };
  void Promise.all(ports.map((port, index) => forward(port, index, inputs[index] ?? new ByteQueue(0)))).finally(() => socket.close(1000));
};

/** Takes over a connection that asks for port forwarding; throws BadRequest when it speaks no known protocol. */
export const servePortForward = async ({ request, socket, head, sockets, host, query }: PortForward): Promise<void> => {
  if ((request.headers.upgrade ?? '').toLowerCase() !== 'websocket') {
    acceptSpdy(request, socket, [spdyProtocol]);
    return forwardSpdy(socketTransport(socket, head), host);
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  if (offered.includes(tunnelProtocol)) {
    sockets.handleUpgrade(request, socket, head, (webSocket) => void forwardSpdy(webSocketTransport(webSocket), host));
    return;
  }
  const ports = query.getAll('ports').flatMap((list) => list.split(',')).map(portOf);
  if (ports.length === 0 || ports.length > limits.ports) throw badRequest(`query parameter ports: between 1 and ${limits.ports} ports are needed`);
  if (!offered.includes('v4.channel.k8s.io')) throw badRequest(`none of the offered protocols is known; known are ${tunnelProtocol}, v4.channel.k8s.io`);
  sockets.handleUpgrade(request, socket, head, (webSocket) => forwardChannels(webSocket, host, ports));
};
