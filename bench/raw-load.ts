/**
 * Load that costs its sender little, so that it is the server that is measured: plain TLS sockets, each with one request
 * under way, requests as ready bytes, and answers read no further than their status and their end. A client that parses
 * what it gets needs more time on a core than the server that serves it.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect } from 'node:tls';

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  /** Of TLS; without it the connection is plain. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface LoadResult {
  readonly seconds: number;
  /** From the first byte of a request to the last of its answer, in milliseconds. */
  readonly times: readonly number[];
}

/** One request as bytes, on a connection that is kept. */
export const requestBytes = (method: string, path: string, body?: string, type = 'application/json'): Buffer =>
  Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: barge\r\nAccept: application/json\r\n${body === undefined ? '' : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body ?? ''}`);

const blank = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');

/** A connection; over TLS with a client certificate, where the target has them, it resolves when the handshake is done. */
export const openSocket = ({ host, port, ...tls }: LoadTarget): Promise<Socket> => new Promise((resolve, reject) => {
  const isPlain = tls.ca === undefined;
  const socket = isPlain ? connectPlain({ host, port }) : connect({ host, port, ...tls, ALPNProtocols: ['http/1.1'], checkServerIdentity: () => undefined });
  socket.once('error', reject).once(isPlain ? 'connect' : 'secureConnect', () => {
    socket.off('error', reject).setNoDelay(true);
    resolve(socket);
  });
});

class Connection {
  readonly #socket: Socket;
  #answer: PromiseWithResolvers<number> | undefined;
  /** Of the answer that is being read: its status, and how many bytes are to come (undefined: it is chunked). */
  #status = 0;
  #left: number | undefined = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (part: Buffer) => this.#read(part));
    socket.on('error', (error) => this.#answer?.reject(error));
    socket.on('close', () => this.#answer?.reject(new Error('the server ended the connection')));
  }

  send(request: Buffer): Promise<number> {
    this.#answer = Promise.withResolvers();
    this.#status = 0;
    this.#socket.write(request);
    return this.#answer.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Headers come in one part: the server writes them at once, and they are small. */
  #read(part: Buffer): void {
    if (this.#status === 0) {
      const end = part.indexOf(blank);
      const head = part.toString('latin1', 0, end);
      this.#status = Number(head.slice(9, 12));
      const length = /\ncontent-length: (\d+)/i.exec(head)?.[1];
      this.#left = length === undefined ? undefined : Number(length) - (part.length - end - blank.length);
    } else if (this.#left !== undefined) {
      this.#left -= part.length;
    }
    if (this.#left === undefined ? part.subarray(-lastChunk.length).equals(lastChunk) : this.#left <= 0) this.#answer?.resolve(this.#status);
  }
}

/** Opens `width` connections and sends the requests over them, as fast as they are answered. Rejects at an answer that is not 2xx. */
export const load = async (target: LoadTarget, width: number, requests: readonly Buffer[]): Promise<LoadResult> => {
  const connections = await Promise.all(Array.from({ length: width }, async () => new Connection(await openSocket(target))));
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  try {
    await Promise.all(connections.map(async (connection) => {
      for (let index = next++; index < requests.length; index = next++) {
        const before = performance.now();
        const status = await connection.send(requests[index]!);
        times.push(performance.now() - before);
        if (status < 200 || status > 299) throw new Error(`request ${index} was answered with ${status}`);
      }
    }));
  } finally {
    for (const connection of connections) connection.close();
  }
  return { seconds: (performance.now() - started) / 1000, times };
};
