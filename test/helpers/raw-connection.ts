import type { TLSSocket } from 'node:tls';

export interface RawReply {
  readonly code: number;
  /** In small letters. */
  readonly head: string;
  readonly body: Buffer;
}

/** An answer that says only that the body may come. */
const goOn = Buffer.from('100');
const blank = Buffer.from('\r\n\r\n');
const headerOf = (head: string, name: string): string | undefined => new RegExp(`\\n${name}: *([^\\r\\n]*)`).exec(head)?.[1];

/** The content of a chunked body, or undefined while it has no end. */
const chunked = (bytes: Buffer): Buffer | undefined => {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (bytes.length < end + 2 + size + 2) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
};

/**
 * One connection on which bytes are sent that no HTTP library would send, one request at a time. It is opened again when
 * the server has closed it.
 */
export class RawConnection {
  readonly #open: () => Promise<TLSSocket>;
  #socket: TLSSocket | undefined;

  constructor(open: () => Promise<TLSSocket>) {
    this.#open = open;
  }

  /** Sends a request and reads its answer; `stream` reads the head alone and leaves. Undefined: closed without an answer. */
  async send(request: Buffer, { method, stream }: { readonly method: string; readonly stream: boolean }): Promise<RawReply | undefined> {
    const socket = await this.#connected();
    const parts: Buffer[] = [];
    const reply = await new Promise<RawReply | undefined>((resolve) => {
      const settle = (found: RawReply | undefined): void => {
        socket.off('data', onData).off('close', onClose);
        resolve(found);
      };
      const look = (closed: boolean): void => {
        let bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
        if (bytes.subarray(9, 12).equals(goOn) && bytes.includes(blank)) bytes = bytes.subarray(bytes.indexOf(blank) + blank.length);
        const end = bytes.indexOf(blank);
        if (end < 0) return closed ? settle(undefined) : undefined;
        const head = bytes.toString('latin1', 0, end).toLowerCase();
        const code = Number(head.slice(9, 12));
        const rest = bytes.subarray(end + blank.length);
        const length = headerOf(head, 'content-length');
        const none = method === 'HEAD' || code === 304 || code === 204 || code === 101 || (stream && code === 200);
        const body = none ? Buffer.alloc(0) : length === undefined ? (headerOf(head, 'transfer-encoding') === 'chunked' ? chunked(rest) : closed ? rest : undefined)
          : rest.length >= Number(length) ? rest.subarray(0, Number(length)) : undefined;
        if (body !== undefined) settle({ code, head, body });
        else if (closed) settle(undefined);
      };
      const onData = (chunk: Buffer): void => {
        parts.push(chunk);
        look(false);
      };
      const onClose = (): void => look(true);
      socket.on('data', onData).once('close', onClose);
      socket.write(request);
    });
    if (stream || reply === undefined || reply.code === 101 || headerOf(reply.head, 'connection') === 'close') this.close();
    return reply;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #connected(): Promise<TLSSocket> {
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.readable) return this.#socket;
    const socket = await this.#open();
    socket.on('error', () => undefined);
    return this.#socket = socket;
  }
}
