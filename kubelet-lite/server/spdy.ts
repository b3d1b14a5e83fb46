/**
 * The part of SPDY/3.1 that kubectl's streams need: a client opens streams with headers, both sides send data on them and
 * end them one by one. There is no flow control; instead the connection is not read while a stream holds too much. All
 * bounds are here, for a client may send anything.
 */
import { constants, createInflate, type Inflate } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';
import type { ByteTransport } from './byte-transport.ts';
import { spdyDictionary } from './spdy-dictionary.ts';

const limits = { controlBytes: 64 * 1024, headerBytes: 64 * 1024, headerPairs: 64, dataBytes: 2 ** 24 - 1, streams: 1024, heldBytes: 2 ** 20 } as const;
const version = 3;
const frames = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;
const fin = 1;
const frameHead = 8;

/** What a client did that this protocol does not allow. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

export interface SpdyStream {
  readonly headers: ReadonlyMap<string, string>;
  /** Ends when the client has ended its side. */
  readonly input: AsyncIterable<Buffer>;
  write(data: Uint8Array): Promise<void>;
  /** Ends this side. */
  end(): Promise<void>;
}

interface Open { readonly stream: SpdyStream; readonly input: ByteQueue; localEnded: boolean; remoteEnded: boolean }

const controlFrame = (type: number, flags: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(frameHead);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE((flags << 24) | body.length, 4);
  return Buffer.concat([head, body]);
};

const dataFrame = (id: number, flags: number, data: Uint8Array): Buffer => {
  const head = Buffer.alloc(frameHead);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(((flags << 24) | data.length) >>> 0, 4);
  return Buffer.concat([head, data]);
};

/** Header blocks of one direction are one zlib stream over the whole connection. */
class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  #out: Buffer[] = [];
  #size = 0;
  #error: Error | undefined;

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#size += chunk.length;
      if (this.#size > limits.headerBytes) this.#inflate.destroy(new SpdyError('a header block is too large'));
      else this.#out.push(chunk);
    });
    this.#inflate.on('error', (error) => { this.#error = error; });
  }

  async read(block: Buffer): Promise<ReadonlyMap<string, string>> {
    this.#out = [];
    this.#size = 0;
    await new Promise<void>((resolve) => {
      this.#inflate.once('error', () => resolve());
      this.#inflate.write(block, () => setImmediate(resolve));
    });
    this.#inflate.removeAllListeners('error');
    this.#inflate.on('error', (error) => { this.#error = error; });
    if (this.#error !== undefined) throw new SpdyError(`a header block cannot be read: ${this.#error.message}`);
    return headersOf(Buffer.concat(this.#out));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

const headersOf = (block: Buffer): ReadonlyMap<string, string> => {
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new SpdyError('a header block is cut short');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw new SpdyError('a header block is cut short');
    at += length;
    return block.toString('latin1', at - length, at);
  };
  const pairs = number();
  if (pairs > limits.headerPairs) throw new SpdyError(`a stream has more than ${limits.headerPairs} headers`);
  const out = new Map<string, string>();
  for (let pair = 0; pair < pairs; pair++) out.set(text().toLowerCase(), text());
  return out;
};

/** No headers, as a stored block of the connection's one zlib stream; the empty block after it makes readers go on. */
const noHeaders = (first: boolean): Buffer => Buffer.from([...(first ? [0x78, 0x01] : []), 0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

export class SpdyConnection {
  readonly #transport: ByteTransport;
  readonly #opened: (stream: SpdyStream) => void;
  readonly #headers = new HeaderReader();
  readonly #streams = new Map<number, Open>();
  #replied = false;

  /** `opened` is called for every stream that the client opens, after it was answered. */
  constructor(transport: ByteTransport, opened: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#opened = opened;
  }

  /** Reads until the connection ends; rejects with SpdyError when the client breaks the rules. */
  async run(): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    try {
      for await (const chunk of this.#transport.input) {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        for (;;) {
          if (rest.length < frameHead) break;
          const control = (rest.readUInt8(0) & 0x80) !== 0;
          const length = rest.readUInt32BE(4) & 0xffffff;
          if (control && length > limits.controlBytes) throw new SpdyError('a control frame is too large');
          if (rest.length < frameHead + length) {
            // Large data is passed on as it comes, so that no frame is ever held whole.
            if (control || rest.length === frameHead) break;
            const part = rest.subarray(frameHead);
            const left = Buffer.from(rest.subarray(0, frameHead));
            left.writeUInt32BE(((left.readUInt8(4) << 24) | (length - part.length)) >>> 0, 4);
            await this.#data(left.readUInt32BE(0) & 0x7fffffff, part, false);
            rest = left;
            break;
          }
          const body = rest.subarray(frameHead, frameHead + length);
          const flags = rest.readUInt8(4);
          if (control) await this.#control(rest.readUInt16BE(2), flags, body, rest.subarray(0, frameHead));
          else await this.#data(rest.readUInt32BE(0) & 0x7fffffff, body, (flags & fin) !== 0);
          rest = rest.subarray(frameHead + length);
        }
      }
    } finally {
      for (const { input } of this.#streams.values()) input.end();
      this.#streams.clear();
      this.#headers.close();
    }
  }

  close(): void {
    this.#transport.close();
  }

  async #control(type: number, flags: number, body: Buffer, head: Buffer): Promise<void> {
    if (type === frames.synStream) return this.#open(body, (flags & fin) !== 0);
    if (type === frames.ping && body.length === 4) return this.#transport.write(Buffer.concat([head, body]));
    if (type === frames.rstStream && body.length >= 4) {
      const id = body.readUInt32BE(0) & 0x7fffffff;
      this.#streams.get(id)?.input.end();
      this.#streams.delete(id);
    }
    // SETTINGS, WINDOW_UPDATE and GOAWAY ask for nothing here.
  }

  async #open(body: Buffer, ended: boolean): Promise<void> {
    if (body.length < 10) throw new SpdyError('a SYN_STREAM is cut short');
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = await this.#headers.read(body.subarray(10));
    if (id % 2 === 0 || this.#streams.has(id)) throw new SpdyError(`a client may not open stream ${id}`);
    if (this.#streams.size >= limits.streams) throw new SpdyError(`more than ${limits.streams} streams are open`);
    const input = new ByteQueue(limits.heldBytes);
    if (ended) input.end();
    const stream: SpdyStream = {
      headers, input,
      write: async (data) => {
        for (let at = 0; at < data.length && !open.localEnded; at += limits.dataBytes) await this.#transport.write(dataFrame(id, 0, data.subarray(at, at + limits.dataBytes)));
      },
      end: async () => {
        if (open.localEnded) return;
        open.localEnded = true;
        await this.#transport.write(dataFrame(id, fin, Buffer.alloc(0)));
        this.#forget(id, open);
      },
    };
    const open: Open = { stream, input, localEnded: false, remoteEnded: ended };
    this.#streams.set(id, open);
    const reply = Buffer.alloc(4);
    reply.writeUInt32BE(id);
    const block = noHeaders(!this.#replied);
    this.#replied = true;
    await this.#transport.write(controlFrame(frames.synReply, 0, Buffer.concat([reply, block])));
    this.#opened(stream);
  }

  async #data(id: number, data: Buffer, ended: boolean): Promise<void> {
    const open = this.#streams.get(id);
    if (open === undefined) return;
    await open.input.put(Buffer.from(data));
    if (!ended) return;
    open.input.end();
    open.remoteEnded = true;
    this.#forget(id, open);
  }

  #forget(id: number, open: Open): void {
    if (open.localEnded && open.remoteEnded) this.#streams.delete(id);
  }
}
