/**
 * Exec and attach over a WebSocket: the first byte of each binary message is the channel, 0 to 4 for input, output,
 * errors, status and terminal size; version 5 of the protocol adds 255 for the end of a channel.
 */
import type { WebSocket } from 'ws';
import type { ExecSession } from '../runtime/runtime.ts';
import { exitStatus, failureStatus, type SessionStatus } from './session-status.ts';

/** Newest first: the first that the client offers is taken. */
export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const;

const channels = { input: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

export interface SessionWishes { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean; readonly tty: boolean }

/** Terminal sizes beyond this are nonsense. */
const largestSide = 65_535;

/** The size in a resize message; undefined when it is none. */
export const sizeOf = (text: string): { readonly columns: number; readonly rows: number } | undefined => {
  try {
    const { Width, Height } = JSON.parse(text) as { readonly Width?: unknown; readonly Height?: unknown };
    const fits = (side: unknown): side is number => typeof side === 'number' && Number.isInteger(side) && side > 0 && side <= largestSide;
    return fits(Width) && fits(Height) ? { columns: Width, rows: Height } : undefined;
  } catch {
    return undefined;
  }
};

const bytesOf = (data: Buffer | ArrayBuffer | Buffer[]): Buffer => (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer));

/** Carries a session over an open socket until it ends or the client goes. */
export const serveWebSocket = async (socket: WebSocket, start: () => Promise<ExecSession>, wishes: SessionWishes): Promise<void> => {
  const send = (channel: number, data: Uint8Array): Promise<void> => new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    socket.send(Buffer.concat([Buffer.from([channel]), data]), () => resolve());
  });
  const structured = socket.protocol.startsWith('v4.') || socket.protocol.startsWith('v5.');
  const end = async (status: SessionStatus): Promise<void> => {
    // Older protocols have bare words for a failure, and nothing for success.
    const words = structured ? JSON.stringify(status) : status.status === 'Failure' ? status.message ?? '' : '';
    if (words !== '') await send(channels.status, Buffer.from(words));
    socket.close(1000);
  };
  // What comes before the command has started waits in the connection.
  socket.pause();
  let session: ExecSession;
  try {
    session = await start();
  } catch (error) {
    socket.resume();
    return end(failureStatus(error));
  }
  const take = async (message: Buffer): Promise<void> => {
    const payload = message.subarray(1);
    if (message[0] === channels.input && wishes.stdin && payload.length > 0) await session.write(payload);
    else if (message[0] === channels.resize) {
      const size = sizeOf(payload.toString('utf8'));
      if (size !== undefined) await session.resize(size.columns, size.rows);
    } else if (message[0] === channels.close && payload[0] === channels.input) session.closeInput();
  };
  let taken = Promise.resolve();
  socket.on('message', (data: Buffer | ArrayBuffer | Buffer[]) => {
    // One at a time, in order; the client is held back while the command does not read.
    socket.pause();
    taken = taken.then(() => take(bytesOf(data))).catch(() => undefined).then(() => socket.resume());
  });
  socket.on('close', () => session.close());
  socket.on('error', () => session.close());
  socket.resume();
  await send(channels.stdout, Buffer.alloc(0));
  try {
    for await (const { stream, data } of session.output) {
      if (stream === 'stdout' ? wishes.stdout : wishes.stderr && !wishes.tty) await send(stream === 'stdout' ? channels.stdout : channels.stderr, data);
    }
    await end(exitStatus(await session.exit));
  } catch (error) {
    await end(failureStatus(error));
  }
};
