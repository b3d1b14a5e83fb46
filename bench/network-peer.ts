/**
 * One end of a measured connection, run inside a network namespace by `network.ts`.
 *
 * usage: node bench/network-peer.ts serve PORT
 *        node bench/network-peer.ts measure HOST PORT SECONDS
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { percentile } from './table.ts';

export interface Measured {
  /** Of one stream, as the receiver counted it. */
  readonly megabytesPerSecond: number;
  /** Of one byte there and back on a connection that stands. */
  readonly roundTripUs: { readonly median: number; readonly p99: number };
  /** One after the other: connection, one byte there and back, end. */
  readonly connectionsPerSecond: number;
}

/** The first byte says what becomes of the rest. */
const modes = { echo: 'e', count: 'c' } as const;

const serve = (port: number): void => {
  createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let mode: string | undefined;
    let bytes = 0;
    socket.on('data', (chunk) => {
      mode ??= String.fromCharCode(chunk[0]!);
      bytes += chunk.length;
      if (mode === modes.echo) socket.write(chunk);
    });
    socket.on('end', () => socket.end(mode === modes.count ? String(bytes) : ''));
    socket.on('error', () => undefined);
  }).listen(port, '0.0.0.0', () => process.stdout.write('listening\n'));
};

const open = async (host: string, port: number): Promise<Socket> => {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
};

const there = async (socket: Socket): Promise<void> => {
  const back = once(socket, 'data');
  socket.write(modes.echo);
  await back;
};

const stream = async (host: string, port: number, seconds: number): Promise<number> => {
  const socket = await open(host, port);
  const chunk = Buffer.alloc(256 * 1024, modes.count);
  const started = performance.now();
  while (performance.now() - started < seconds * 1000) if (!socket.write(chunk)) await once(socket, 'drain');
  const received = once(socket, 'data');
  socket.end();
  const [bytes] = await received as [Buffer];
  return Number(bytes.toString()) / 1e6 / ((performance.now() - started) / 1000);
};

const roundTrips = async (host: string, port: number, seconds: number): Promise<Measured['roundTripUs']> => {
  const socket = await open(host, port);
  const times: number[] = [];
  const started = performance.now();
  while (performance.now() - started < seconds * 1000) {
    const from = performance.now();
    await there(socket);
    times.push((performance.now() - from) * 1000);
  }
  socket.destroy();
  return { median: percentile(times, 0.5), p99: percentile(times, 0.99) };
};

const connections = async (host: string, port: number, seconds: number): Promise<number> => {
  let count = 0;
  const started = performance.now();
  while (performance.now() - started < seconds * 1000) {
    const socket = await open(host, port);
    await there(socket);
    const closed = once(socket, 'close');
    socket.end().resume();
    await closed;
    count++;
  }
  return count / ((performance.now() - started) / 1000);
};

if (process.argv[1] === import.meta.filename) {
  const [what, ...words] = process.argv.slice(2);
  if (what === 'serve') serve(Number(words[0]));
  else {
    const [host, port, seconds] = [words[0]!, Number(words[1]), Number(words[2])];
    // The first connection pays for what is compiled.
    await roundTrips(host, port, 0.3);
    const measured: Measured = {
      megabytesPerSecond: await stream(host, port, seconds),
      roundTripUs: await roundTrips(host, port, seconds),
      connectionsPerSecond: await connections(host, port, seconds),
    };
    process.stdout.write(JSON.stringify(measured));
  }
}
