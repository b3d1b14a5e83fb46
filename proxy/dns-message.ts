/**
 * DNS messages on the wire (RFC 1035, 2782, 6891), as much of them as a cluster's resolver needs. What comes in is not
 * trusted: every length is checked, and compression pointers may only go back, so that decoding always ends.
 */
export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;
export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

export interface Question {
  /** Without the last dot, in the letters it came in. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export type ResourceRecord = { readonly name: string; readonly ttlSeconds: number } & (
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | { readonly type: 'SRV'; readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
  | { readonly type: 'SOA'; readonly primary: string; readonly mailbox: string; readonly serial: number; readonly refreshSeconds: number; readonly retrySeconds: number; readonly expireSeconds: number; readonly minimumSeconds: number }
  /** A record of another type, whose data holds no name. */
  | { readonly type: 'raw'; readonly code: number; readonly data: Buffer });

export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly question: Question;
  /** The size of answers that the client takes over UDP, if it speaks EDNS. */
  readonly ednsBytes: number | undefined;
  readonly ednsVersion: number;
}

export interface Response {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

/** What is wrong with a message. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

const headerBytes = 12;
/** What answers may fill over UDP without risk of fragments. */
export const safeUdpBytes = 1232;

/** Reads a query. Throws MalformedMessage; a message that is no query at all gives undefined and deserves no answer. */
export const decodeQuery = (message: Buffer): Query | undefined => {
  if (message.length < headerBytes) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return undefined;
  if (message.readUInt16BE(4) !== 1) throw new MalformedMessage('a query has one question');
  const { question, end } = readQuestion(message);
  let ednsBytes: number | undefined;
  let ednsVersion = 0;
  let at = end;
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let count = 0; count < records; count++) {
    const record = readRecord(message, at);
    if (record.type === types.OPT) {
      if (ednsBytes !== undefined) throw new MalformedMessage('two EDNS records');
      ednsBytes = Math.max(512, record.class);
      ednsVersion = record.ttlSeconds >>> 16 & 0xff;
    }
    at = record.end;
  }
  return { id: message.readUInt16BE(0), opcode: flags >>> 11 & 0xf, recursionDesired: (flags & 0x100) !== 0, question, ednsBytes, ednsVersion };
};

/** The question of a message whose header says that it has one, and where it ends. */
export const readQuestion = (message: Buffer): { readonly question: Question; readonly end: number } => {
  const { name, end } = readName(message, headerBytes);
  need(message, end, 4);
  return { question: { name, type: message.readUInt16BE(end), class: message.readUInt16BE(end + 2) }, end: end + 4 };
};

/** The response code and answer records of another server's response; records of types with names inside are understood for CNAME only. */
export const decodeAnswers = (message: Buffer): { readonly rcode: number; readonly answers: readonly ResourceRecord[] } => {
  need(message, 0, headerBytes);
  let at = readQuestion(message).end;
  const answers: ResourceRecord[] = [];
  for (let count = message.readUInt16BE(6); count > 0; count--) {
    const { name, type, ttlSeconds, start, end } = readRecord(message, at);
    if (type === types.CNAME) answers.push({ name, ttlSeconds, type: 'CNAME', target: readName(message, start).name });
    else if (type === types.A || type === types.AAAA || type === types.TXT) answers.push({ name, ttlSeconds, type: 'raw', code: type, data: message.subarray(start, end) });
    at = end;
  }
  return { rcode: message.readUInt16BE(2) & 0xf, answers };
};

const need = (message: Buffer, at: number, bytes: number): void => {
  if (at + bytes > message.length) throw new MalformedMessage('the message is cut off');
};

interface RawRecord { readonly name: string; readonly type: number; readonly class: number; readonly ttlSeconds: number; readonly start: number; readonly end: number }

const readRecord = (message: Buffer, from: number): RawRecord => {
  const { name, end: at } = readName(message, from);
  need(message, at, 10);
  const start = at + 10;
  const length = message.readUInt16BE(at + 8);
  need(message, start, length);
  return { name, type: message.readUInt16BE(at), class: message.readUInt16BE(at + 2), ttlSeconds: message.readUInt32BE(at + 4), start, end: start + length };
};

const readName = (message: Buffer, from: number): { readonly name: string; readonly end: number } => {
  const labels: string[] = [];
  let length = 0;
  let at = from;
  let end: number | undefined;
  /** Pointers must lead to before everything read so far. */
  let limit = from;
  for (;;) {
    need(message, at, 1);
    const size = message[at]!;
    if (size === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if ((size & 0xc0) === 0xc0) {
      need(message, at, 2);
      const target = message.readUInt16BE(at) & 0x3fff;
      if (target >= limit) throw new MalformedMessage('a name points forward');
      end ??= at + 2;
      limit = target;
      at = target;
      continue;
    }
    if (size > 63) throw new MalformedMessage('an unknown kind of label');
    need(message, at + 1, size);
    length += size + 1;
    if (length > 254) throw new MalformedMessage('a name is longer than 255 bytes');
    const label = message.toString('latin1', at + 1, at + 1 + size);
    if (label.includes('.')) throw new MalformedMessage('a label has a dot');
    labels.push(label);
    at += size + 1;
  }
};

/** The bytes of a response to a query. One that does not fit is cut to its question and marked as truncated, so that the client asks again over TCP. */
export const encodeResponse = (query: Query, response: Response, maxBytes: number): Buffer => {
  const whole = encode(query, response, false);
  return whole.length <= maxBytes ? whole : encode(query, { ...response, answers: [], authority: [], additional: [] }, true);
};

/** The answer to a message whose question could not be read: its id and FORMERR. */
export const encodeFormatError = (message: Buffer): Buffer => {
  const out = Buffer.alloc(headerBytes);
  message.copy(out, 0, 0, 2);
  out.writeUInt16BE(0x8000 | (message.readUInt16BE(2) & 0x7900) | rcodes.FORMERR, 2);
  return out;
};

const encode = (query: Query, { rcode, authoritative, answers, authority, additional }: Response, truncated: boolean): Buffer => {
  const writer = new Writer();
  const edns = query.ednsBytes !== undefined;
  writer.u16(query.id);
  writer.u16(0x8000 | query.opcode << 11 | (authoritative ? 0x400 : 0) | (truncated ? 0x200 : 0) | (query.recursionDesired ? 0x100 : 0) | 0x80 | (rcode & 0xf));
  for (const count of [1, answers.length, authority.length, additional.length + (edns ? 1 : 0)]) writer.u16(count);
  writer.name(query.question.name);
  writer.u16(query.question.type);
  writer.u16(query.question.class);
  for (const record of [...answers, ...authority, ...additional]) writer.record(record);
  if (edns) {
    writer.bytes([0]);
    writer.u16(types.OPT);
    writer.u16(safeUdpBytes);
    writer.u32((rcode >>> 4) << 24);
    writer.u16(0);
  }
  return writer.done();
};

class Writer {
  #parts = Buffer.alloc(512);
  #length = 0;
  /** Where a name, in small letters, was written first. */
  readonly #names = new Map<string, number>();

  u16(value: number): void {
    this.#room(2);
    this.#length = this.#parts.writeUInt16BE(value, this.#length);
  }

  u32(value: number): void {
    this.#room(4);
    this.#length = this.#parts.writeUInt32BE(value >>> 0, this.#length);
  }

  bytes(values: Uint8Array | readonly number[]): void {
    this.#room(values.length);
    this.#parts.set(values, this.#length);
    this.#length += values.length;
  }

  name(name: string, compress = true): void {
    let rest = name;
    while (rest !== '') {
      const key = rest.toLowerCase();
      const seen = compress ? this.#names.get(key) : undefined;
      if (seen !== undefined) {
        this.u16(0xc000 | seen);
        return;
      }
      if (this.#length < 0x4000) this.#names.set(key, this.#length);
      const dot = rest.indexOf('.');
      const label = Buffer.from(dot < 0 ? rest : rest.slice(0, dot), 'latin1');
      if (label.length === 0 || label.length > 63) throw new RangeError(`${name} is no domain name`);
      this.bytes([label.length]);
      this.bytes(label);
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.bytes([0]);
  }

  record(record: ResourceRecord): void {
    this.name(record.name);
    this.u16(record.type === 'raw' ? record.code : types[record.type]);
    this.u16(1);
    this.u32(record.ttlSeconds);
    const lengthAt = this.#length;
    this.u16(0);
    this.#data(record);
    this.#parts.writeUInt16BE(this.#length - lengthAt - 2, lengthAt);
  }

  done(): Buffer {
    return this.#parts.subarray(0, this.#length);
  }

  #data(record: ResourceRecord): void {
    switch (record.type) {
      case 'A':
        this.bytes(record.address.split('.').map(Number));
        break;
      case 'CNAME': case 'PTR': case 'NS':
        this.name(record.target);
        break;
      case 'SRV':
        for (const value of [record.priority, record.weight, record.port]) this.u16(value);
        // RFC 2782: the target is not compressed.
        this.name(record.target, false);
        break;
      case 'SOA':
        this.name(record.primary);
        this.name(record.mailbox);
        for (const value of [record.serial, record.refreshSeconds, record.retrySeconds, record.expireSeconds, record.minimumSeconds]) this.u32(value);
        break;
      case 'raw':
        this.bytes(record.data);
    }
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#parts.length) return;
    const larger = Buffer.alloc(Math.max(this.#parts.length * 2, this.#length + bytes));
    this.#parts.copy(larger, 0, 0, this.#length);
    this.#parts = larger;
  }
}
