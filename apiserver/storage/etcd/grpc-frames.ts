/** gRPC's messages on HTTP/2: each has a byte that says whether it is compressed (never here) and four of its length before it. */

const headBytes = 5;

export const framed = (message: Buffer): Buffer => {
  const frame = Buffer.allocUnsafe(headBytes + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, headBytes);
  return frame;
};

/** Cuts what comes in pieces of any size into messages. Throws for one that is compressed, which was not asked for. */
export class MessageReader {
  #pieces: Buffer[] = [];
  #length = 0;

  /** The messages that are whole with this piece. */
  read(piece: Buffer): readonly Buffer[] {
    this.#pieces.push(piece);
    this.#length += piece.length;
    const messages: Buffer[] = [];
    while (this.#length >= headBytes) {
      const head = this.#head();
      if (head.readUInt8(0) !== 0) throw new Error('a gRPC message is compressed, which was not asked for');
      const whole = headBytes + head.readUInt32BE(1);
      if (this.#length < whole) break;
      const all = this.#joined();
      messages.push(all.subarray(headBytes, whole));
      this.#pieces = whole === all.length ? [] : [all.subarray(whole)];
      this.#length = all.length - whole;
    }
    return messages;
  }

  #head(): Buffer {
    return this.#pieces[0]!.length >= headBytes ? this.#pieces[0]! : this.#joined();
  }

  /** A long message comes in many pieces: they are joined once, when it is whole. */
  #joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }
}

/** Status codes of gRPC that are told apart here. */
export const grpcCodes = { ok: 0, cancelled: 1, invalidArgument: 3, deadlineExceeded: 4, permissionDenied: 7, resourceExhausted: 8, outOfRange: 11, unavailable: 14, unauthenticated: 16 } as const;

/** A call that failed: by the other side's word, or because there was no other side. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  /** False when the request surely did not reach the other side's rules: it may be sent elsewhere without harm. */
  readonly sent: boolean;
  constructor(code: number, message: string, { sent, cause }: { readonly sent: boolean; readonly cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.sent = sent;
  }
}

/** What trailers (or, of an answer without a body, headers) say of how a call ended; undefined where they say nothing. */
export const statusOf = (headers: Readonly<Record<string, unknown>>): { readonly code: number; readonly message: string } | undefined => {
  const code = headers['grpc-status'];
  if (typeof code !== 'string') return undefined;
  const text = headers['grpc-message'];
  return { code: Number(code), message: typeof text === 'string' ? decoded(text) : '' };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
