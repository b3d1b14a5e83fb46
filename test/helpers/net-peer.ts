/**
 * A machine on a network, for tests of traffic: servers that say who they are, and clients that say what they met. It runs
 * in this process, or (`peerIn`) as a process inside a network namespace, where this file is the program.
 */
import { spawn } from 'node:child_process';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface Target { readonly protocol?: 'TCP' | 'UDP'; readonly host: string; readonly port: number }

export interface NetPeer {
  /** Starts a server that answers every line with `<name> <client's address>`, and says `end <name>` after the client's end. Gives its port. */
  serve(options: Target & { readonly name: string }): Promise<number>;
  /** One connection or datagram: the server's answer, or `refused`, `timeout`, or another error code. */
  ask(options: Target & { readonly timeoutMs?: number; readonly bytes?: number }): Promise<string>;
  /** A connection or UDP socket that stays; `say` gives the answer to one more line. */
  open(options: Target): Promise<number>;
  say(handle: number): Promise<string>;
  close(): Promise<void>;
}

/** A firewall that refuses what this very machine sends lets the sending itself fail (EPERM). */
const refusals: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'EPERM']);

class LocalPeer implements NetPeer {
  readonly #servers: (Server | UdpSocket)[] = [];
  readonly #handles: (Socket | UdpSocket)[] = [];

  async serve({ protocol = 'TCP', host, port, name }: Target & { readonly name: string }): Promise<number> {
    if (protocol === 'UDP') {
      const socket = createSocket('udp4');
      socket.on('message', (_, from) => socket.send(`${name} ${from.address}`, from.port, from.address));
      socket.bind(port, host);
      await once(socket, 'listening');
      this.#servers.push(socket);
      return socket.address().port;
    }
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', () => socket.write(`${name} ${socket.remoteAddress}\n`));
      socket.on('end', () => socket.end(`end ${name}\n`));
      socket.on('error', () => undefined);
    });
    server.listen(port, host);
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as { readonly port: number }).port;
  }

  ask({ protocol = 'TCP', host, port, timeoutMs = 2_000, bytes = 1 }: Target & { readonly timeoutMs?: number; readonly bytes?: number }): Promise<string> {
    return new Promise((resolve) => {
      const failed = (error: NodeJS.ErrnoException): void => settle(refusals.has(error.code) ? 'refused' : error.code ?? error.message);
      const timer = setTimeout(() => settle('timeout'), timeoutMs);
      let settle = (result: string): void => {
        clearTimeout(timer);
        resolve(result);
      };
      if (protocol === 'UDP') {
        const socket = createSocket('udp4');
        const resolved = settle;
        settle = (result) => {
          settle = () => undefined;
          socket.close();
          resolved(result);
        };
        socket.on('error', failed);
        socket.on('message', (message) => settle(String(message)));
        socket.once('connect', () => socket.send('x'.repeat(bytes), (error) => {
          if (error !== null) failed(error);
        }));
        socket.connect(port, host);
        return;
      }
      const socket = connect({ host, port, allowHalfOpen: true });
      let received = '';
      const resolved = settle;
      settle = (result) => {
        socket.destroy();
        resolved(result);
      };
      socket.on('error', failed);
      socket.on('data', (chunk) => {
        received += String(chunk);
      });
      socket.on('end', () => settle(received.trim().replaceAll('\n', ' ')));
      socket.end(`${'x'.repeat(bytes)}\n`);
    });
  }

  async open({ protocol = 'TCP', host, port }: Target): Promise<number> {
    const socket = protocol === 'UDP' ? createSocket('udp4') : connect({ host, port });
    if (!('setNoDelay' in socket)) socket.connect(port, host);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return this.#handles.push(socket) - 1;
  }

  async say(handle: number): Promise<string> {
    const socket = this.#handles[handle]!;
    const reply = once(socket, 'setNoDelay' in socket ? 'data' : 'message', { signal: AbortSignal.timeout(2_000) });
    if ('setNoDelay' in socket) socket.write('x\n');
    else socket.send('x');
    return reply.then(([data]) => String(data).trim(), () => 'timeout');
  }

  async close(): Promise<void> {
    for (const handle of this.#handles) {
      if ('setNoDelay' in handle) handle.destroy();
      else handle.close();
    }
    for (const server of this.#servers) server.close();
  }
}

export const localPeer = (): NetPeer => new LocalPeer();

/** A peer inside a network namespace of `ip netns`. */
export const peerIn = async (namespace: string): Promise<NetPeer> => {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, import.meta.filename, 'peer'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  let ids = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, value, error } = JSON.parse(line) as { readonly id: number; readonly value?: unknown; readonly error?: string };
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(`${namespace}: ${error}`));
  });
  const call = (method: string) => (argument?: unknown): Promise<never> => new Promise((resolve, reject) => {
    const id = ids++;
    waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    child.stdin.write(`${JSON.stringify({ id, method, argument })}\n`);
  });
  return {
    serve: call('serve'), ask: call('ask'), open: call('open'), say: call('say'),
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'close');
    },
  };
};

if (process.argv[2] === 'peer' && process.argv[1] === import.meta.filename) {
  const peer = localPeer();
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    const { id, method, argument } = JSON.parse(line) as { readonly id: number; readonly method: keyof NetPeer; readonly argument: never };
    const reply = (answer: object): void => void process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
    peer[method](argument).then((value) => reply({ value }), (error: unknown) => reply({ error: String(error) }));
  });
  input.on('close', () => process.exit(0));
}
