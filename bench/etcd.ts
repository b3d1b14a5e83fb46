/**
 * etcd alone, for comparison: puts of values as long as a pod, over its own protocol. There is no dependency for it: a put
 * is two fields of protobuf in one gRPC message on HTTP/2, without TLS, over as many connections as there are senders.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadResult } from './raw-load.ts';

/** A length-delimited field of protobuf. */
const field = (number: number, bytes: Buffer): Buffer => {
  const length: number[] = [];
  let left = bytes.length;
  for (; left > 127; left >>>= 7) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, left]), bytes]);
};

const putMessage = (key: string, value: Buffer): Buffer => {
  const body = Buffer.concat([field(1, Buffer.from(key)), field(2, value)]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
};

const put = (session: ClientHttp2Session, message: Buffer): Promise<void> => new Promise((resolve, reject) => {
  const stream = session.request({ ':method': 'POST', ':path': '/etcdserverpb.KV/Put', 'content-type': 'application/grpc', te: 'trailers' });
  let status: unknown;
  stream.on('trailers', (trailers) => { status = trailers['grpc-status']; });
  stream.on('data', () => undefined);
  stream.on('end', () => (status === '0' ? resolve() : reject(new Error(`etcd answered with grpc-status ${String(status)}`))));
  stream.on('error', reject);
  stream.end(message);
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

export interface Etcd {
  readonly pid: number;
  /** Where clients reach it, without TLS. */
  readonly url: string;
  /** Puts new keys, `width` at a time. */
  load(width: number, count: number, value: Buffer): Promise<LoadResult>;
  close(): Promise<void>;
}

/** Starts an etcd of one member with its data in a folder; undefined where etcd is not installed. */
export const startEtcd = async (dataDir: string): Promise<Etcd | undefined> => {
  const [clients, peers] = [await freePort(), await freePort()];
  const [url, peer] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`];
  const child = spawn('etcd', [
    '--data-dir', dataDir, '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peer,
    '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`, '--log-level', 'error',
  ], { stdio: 'ignore' });
  const started = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)]);
  if (!started) return undefined;
  const connected = async (): Promise<ClientHttp2Session> => {
    const session = connect(url);
    session.on('error', () => undefined);
    await once(session, 'connect');
    return session;
  };
  let session: ClientHttp2Session | undefined;
  for (let tries = 0; session === undefined; tries++) {
    session = await connected().catch(() => undefined);
    if (session !== undefined) await put(session, putMessage('ready', Buffer.from('yes'))).catch(() => { session = undefined; });
    if (tries > 200) throw new Error('etcd does not answer');
    await delay(50);
  }
  session.close();
  let loads = 0;
  return {
    pid: child.pid!,
    url,
    load: async (width, count, value) => {
      loads++;
      const messages = Array.from({ length: count }, (_, index) => putMessage(`/registry/pods/default/p${loads}-${index}`, value));
      const sessions = await Promise.all(Array.from({ length: width }, connected));
      const times: number[] = [];
      let next = 0;
      const before = performance.now();
      await Promise.all(sessions.map(async (one) => {
        for (let index = next++; index < count; index = next++) {
          const sent = performance.now();
          await put(one, messages[index]!);
          times.push(performance.now() - sent);
        }
      }));
      const seconds = (performance.now() - before) / 1000;
      for (const one of sessions) one.close();
      return { seconds, times };
    },
    close: async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
};
