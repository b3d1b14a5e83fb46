import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { ByteQueue } from './byte-queue.ts';

/** A connection as bytes both ways, whatever carries them. */
export interface ByteTransport {
  readonly input: AsyncIterable<Buffer>;
  /** Resolves when the bytes are taken, or lost with the connection. */
  write(data: Buffer): Promise<void>;
  close(): void;
}

/** Bytes that may wait to be read before the sender is held back. */
const heldBytes = 2 ** 20;

async function* readable(socket: Duplex, head: Buffer): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) yield chunk;
  } catch {
    // A connection that breaks off has ended.
  }
}

export const socketTransport = (socket: Duplex, head: Buffer): ByteTransport => ({
  input: readable(socket, head),
  write: (data) => new Promise((resolve) => {
    if (socket.destroyed || socket.writableEnded) return resolve();
    socket.write(data, () => resolve());
  }),
  close: () => socket.end(),
});

export const webSocketTransport = (socket: WebSocket): ByteTransport => {
  const input = new ByteQueue(heldBytes);
  socket.on('message', (data: Buffer) => {
    socket.pause();
    void input.put(data).then(() => socket.resume());
  });
  socket.on('close', () => input.end());
  socket.on('error', () => input.end());
  return {
    input,
    write: (data) => new Promise((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      socket.send(data, () => resolve());
    }),
    close: () => socket.close(1000),
  };
};
