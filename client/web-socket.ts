import { WebSocket } from 'ws';
import { ApiError } from '../schemas/errors.ts';
import { refusal, type HttpConnection } from './http-connection.ts';

/** The longest message that is taken from a server: an object of the largest size, with room. */
const longestMessageBytes = 16 * 2 ** 20;
/** Reading stops while this many messages wait for their reader. */
const waitingMessages = 256;

export interface Message { readonly data: Buffer; readonly binary: boolean }

/**
 * A WebSocket as an iterable of messages, read no faster than they are taken. The iteration ends when the server closes
 * the stream; it throws ApiError when the connection breaks. Aborting ends it at once.
 */
export class MessageStream {
  readonly socket: WebSocket;
  #waiting: Message[] = [];
  #wake: (() => void) | undefined;
  #error: ApiError | undefined;
  #closed = false;
  #stopped = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, binary) => {
      this.#waiting.push({ data, binary });
      if (this.#waiting.length >= waitingMessages) socket.pause();
      this.#wake?.();
    });
    socket.on('close', (code) => {
      // 1006: the connection went away without a farewell.
      if (code === 1006 && !this.#stopped) this.#error ??= new ApiError('ServiceUnavailable', 'the connection broke off');
      this.#closed = true;
      this.#wake?.();
    });
    socket.on('error', (error) => {
      if (!this.#stopped) this.#error ??= new ApiError('ServiceUnavailable', error.message, undefined, { cause: error });
    });
  }

  /** Connects; an answer other than 101 rejects with the ApiError in it. */
  static open(connection: HttpConnection, path: string, protocols: readonly string[], signal: AbortSignal, extraHeaders: Readonly<Record<string, string>> = {}): Promise<MessageStream> {
    const url = connection.url(path);
    url.protocol = connection.base.protocol === 'https:' ? 'wss:' : 'ws:';
    const headers = Object.fromEntries(Object.entries(connection.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new ApiError('ServiceUnavailable', 'stopped before the connection was made'));
      const socket = new WebSocket(url, [...protocols], { ...connection.tls, headers: { ...headers, ...extraHeaders }, maxPayload: longestMessageBytes, perMessageDeflate: false });
      const stream = new MessageStream(socket);
      // At once, not with a farewell: the server may be gone, and ws waits half a minute for its answer.
      const stop = (): void => {
        stream.#stopped = true;
        socket.terminate();
      };
      signal.addEventListener('abort', stop, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', stop));
      socket.once('open', () => resolve(stream));
      socket.once('unexpected-response', (_request, response) => {
        refusal(response).then(reject, reject).finally(() => socket.terminate());
      });
      socket.once('close', () => reject(stream.#error ?? new ApiError('ServiceUnavailable', `${url.host} closed the connection`)));
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    try {
      for (;;) {
        const message = this.#waiting.shift();
        if (message !== undefined) {
          this.#resume();
          yield message;
        } else if (this.#closed) {
          if (this.#error !== undefined) throw this.#error;
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.socket.close(1000);
    }
  }

  /** Takes all messages that are there already, so that a reader handles them as one batch. */
  takeWaiting(): readonly Message[] {
    const messages = this.#waiting.splice(0);
    this.#resume();
    return messages;
  }

  #resume(): void {
    if (this.#waiting.length === 0 && this.socket.isPaused) this.socket.resume();
  }

  /** Resolves when the bytes are handed to the system: writing no faster than the server reads. */
  send(data: Buffer | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(data, (error) => (error ? reject(new ApiError('ServiceUnavailable', error.message, undefined, { cause: error })) : resolve()));
    });
  }
}
