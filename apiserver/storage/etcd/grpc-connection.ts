/**
 * gRPC as far as etcd needs it, on node's HTTP/2: calls with one message each way, and a stream that begins with one
 * message and gives many. It is a connection to one server. It does not open itself again, and repeats nothing: whoever
 * has it decides what an error means.
 */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../../base/clock.ts';
import { framed, grpcCodes, GrpcError, MessageReader, statusOf } from './grpc-frames.ts';

export interface GrpcTls {
  /** PEM. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface GrpcOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  readonly tls?: GrpcTls | undefined;
  readonly clock: Clock;
  readonly connectMs: number;
}

/** A server that says nothing for so long is asked whether it is there, and has as long again to answer. gRPC servers close connections that ask more often than each 5 s. */
const pingMs = 10_000;

/** Bytes that a stream, and all of them together, may have under way to us. */
const streamWindow = 2 ** 20;
const sessionWindow = 16 * 2 ** 20;

export class GrpcConnection {
  readonly url: string;
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  #lost: Error | undefined;
  #retired = false;
  #stopPing: () => void = () => undefined;

  private constructor({ url, clock }: GrpcOptions, session: ClientHttp2Session) {
    this.url = url;
    this.#clock = clock;
    this.#session = session;
    session.on('error', (error) => { this.#lost ??= error; });
    session.on('close', () => {
      this.#lost ??= new Error('the connection was closed');
      this.#stopPing();
    });
    session.setLocalWindowSize(sessionWindow);
    this.#ping();
  }

  /** Throws GrpcError when the server does not answer, or is not the one that the authority vouches for. */
  static async open(options: GrpcOptions): Promise<GrpcConnection> {
    const { url, tls, clock, connectMs } = options;
    const socket = dial(new URL(url), tls);
    const session = connect(url, { createConnection: () => socket, settings: { initialWindowSize: streamWindow } });
    let late: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        late = clock.after(connectMs, () => reject(new Error(`no answer in ${connectMs / 1_000} s`)));
        // The settings are the first thing that a server sends which speaks HTTP/2.
        session.once('remoteSettings', () => resolve());
        session.on('error', reject);
        // A session does not tell of every end of its socket, such as that by a server which does not take our certificate.
        socket.on('error', reject);
        socket.on('close', () => reject(new Error('the server closed the connection')));
      });
    } catch (error) {
      session.destroy();
      socket.destroy();
      throw new GrpcError(grpcCodes.unavailable, `${url}: ${messageOf(error)}`, { sent: false, cause: error });
    } finally {
      late?.();
    }
    return new GrpcConnection(options, session);
  }

  /** False from the moment that it takes no more calls. */
  get usable(): boolean {
    return this.#lost === undefined && !this.#retired && !this.#session.closed && !this.#session.destroyed;
  }

  /** Sends a message and gives the answer. Throws GrpcError; one that was sent may have been carried out. */
  call(path: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(path, { 'grpc-timeout': `${timeoutMs}m` });
      const reader = new MessageReader();
      const messages: Buffer[] = [];
      let status: ReturnType<typeof statusOf>;
      let late = false;
      const cancel = this.#clock.after(timeoutMs, () => {
        late = true;
        stream.close(constants.NGHTTP2_CANCEL);
      });
      stream.on('response', (headers) => { status = statusOf(headers); });
      stream.on('trailers', (headers) => { status ??= statusOf(headers); });
      stream.on('data', (piece: Buffer) => {
        try {
          messages.push(...reader.read(piece));
        } catch (error) {
          stream.destroy(error as Error);
        }
      });
      let failure: unknown;
      stream.on('error', (error) => { failure = error; });
      stream.on('close', () => {
        cancel();
        if (status?.code === grpcCodes.ok && messages[0] !== undefined) resolve(messages[0]);
        else if (late) reject(new GrpcError(grpcCodes.deadlineExceeded, `${this.url} did not answer within ${timeoutMs / 1_000} s`, { sent: true }));
        else reject(this.#failed(stream, status, failure));
      });
      stream.end(framed(message));
    });
  }

  /**
   * Sends a message and gives those that come back, until the signal aborts. Throws GrpcError when the stream ends
   * otherwise. What is not read is not sent, beyond a window.
   */
  async *stream(path: string, message: Buffer, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    if (signal.aborted) return;
    const stream = this.#request(path, {});
    const abort = (): void => stream.close(constants.NGHTTP2_CANCEL);
    signal.addEventListener('abort', abort, { once: true });
    let status: ReturnType<typeof statusOf>;
    stream.on('response', (headers) => { status = statusOf(headers); });
    stream.on('trailers', (headers) => { status ??= statusOf(headers); });
    const reader = new MessageReader();
    try {
      // Our side stays open: its end would be the end of the stream.
      stream.write(framed(message));
      for await (const piece of stream as AsyncIterable<Buffer>) yield* reader.read(piece);
      if (!signal.aborted) throw this.#failed(stream, status, undefined);
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof GrpcError ? error : this.#failed(stream, status, error);
    } finally {
      signal.removeEventListener('abort', abort);
      stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  /** Takes no more calls, and closes when those under way are over. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#session.close();
  }

  /** Ends all that is under way. */
  destroy(): void {
    this.#retired = true;
    this.#session.destroy();
  }

  #request(path: string, headers: Readonly<Record<string, string>>): ClientHttp2Stream {
    if (!this.usable) throw new GrpcError(grpcCodes.unavailable, `${this.url}: ${messageOf(this.#lost ?? 'the connection is closed')}`, { sent: false });
    const stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST', [constants.HTTP2_HEADER_PATH]: path, 'content-type': 'application/grpc', te: 'trailers',
      // A member of etcd that has lost the others says so at once instead of keeping us waiting.
      hasleader: 'true', ...headers,
    });
    // Without a listener an error would end the process.
    stream.on('error', () => undefined);
    return stream;
  }

  #failed(stream: ClientHttp2Stream, status: ReturnType<typeof statusOf>, cause: unknown): GrpcError {
    if (status !== undefined && status.code !== grpcCodes.ok) return new GrpcError(status.code, `${this.url}: ${status.message}`, { sent: true });
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    return new GrpcError(grpcCodes.unavailable, `${this.url}: ${messageOf(cause ?? this.#lost ?? 'the connection was lost')}`, { sent: !refused, cause });
  }

  /** A peer that is gone without a word would keep all calls waiting. */
  #ping(): void {
    this.#stopPing = this.#clock.after(pingMs, () => {
      if (this.#session.destroyed) return;
      this.#stopPing = this.#clock.after(pingMs, () => this.#session.destroy(new Error(`no answer to a ping in ${pingMs / 1_000} s`)));
      this.#session.ping(() => {
        this.#stopPing();
        if (!this.#session.destroyed) this.#ping();
      });
    });
  }
}

const dial = (url: URL, tls: GrpcTls | undefined): Duplex => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:') return connectTcp(Number(url.port || 80), host);
  return connectTls({ ...tls, host, port: Number(url.port || 443), ALPNProtocols: ['h2'], ...(isIP(host) === 0 ? { servername: host } : {}) });
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
