import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { encodeResponse, readQuestion, type Query } from './dns-message.ts';

export interface ForwarderOptions {
  /** `10.0.0.1` or `10.0.0.1:5353`, tried in turn. */
  readonly upstreams: readonly string[];
  readonly clock: Clock;
  /** How long one upstream is given; 2 s where absent, half of what stub resolvers wait. */
  readonly timeoutMs?: number | undefined;
}

/** Questions under way at a time; more are refused. */
const mostInFlight = 512;

/**
 * Asks other servers. Each question goes out with an id and a port that cannot be guessed, and only an answer from the
 * asked address with this id and this question counts.
 */
export class DnsForwarder {
  readonly #upstreams: readonly { readonly host: string; readonly port: number }[];
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #inFlight = 0;

  constructor({ upstreams, clock, timeoutMs = 2_000 }: ForwarderOptions) {
    this.#upstreams = upstreams.map(parseUpstream);
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** The answer of the first upstream that gives one, as it came but for the id; undefined when none does. */
  async ask(query: Query, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    if (this.#inFlight >= mostInFlight) return undefined;
    this.#inFlight++;
    try {
      for (const upstream of this.#upstreams) {
        const id = randomInt(0x10000);
        const message = questionMessage({ ...query, id });
        const answer = await (transport === 'udp' ? this.#udp(upstream, message) : this.#tcp(upstream, message));
        if (answer === undefined) continue;
        answer.writeUInt16BE(query.id, 0);
        return answer;
      }
      return undefined;
    } finally {
      this.#inFlight--;
    }
  }

  #udp({ host, port }: { readonly host: string; readonly port: number }, message: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
      let ended = false;
      const end = (answer?: Buffer): void => {
        if (ended) return;
        ended = true;
        cancel();
        socket.close();
        resolve(answer);
      };
      const cancel = this.#clock.after(this.#timeoutMs, () => end());
      socket.on('error', () => end());
      socket.on('message', (answer) => {
        if (answers(answer, message)) end(answer);
      });
      // A connected socket takes datagrams from this address only, and learns that nobody listens there.
      socket.once('connect', () => socket.send(message));
      socket.connect(port, host);
    });
  }

  #tcp({ host, port }: { readonly host: string; readonly port: number }, message: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ host, port });
      let received = Buffer.alloc(0);
      const end = (answer?: Buffer): void => {
        cancel();
        socket.destroy();
        resolve(answer);
      };
      const cancel = this.#clock.after(this.#timeoutMs, () => end());
      socket.on('error', () => end());
      socket.on('close', () => end());
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const answer = Buffer.from(received.subarray(2, 2 + received.readUInt16BE(0)));
        end(answers(answer, message) ? answer : undefined);
      });
      socket.write(framed(message));
    });
  }
}

/** A message with its length before it, as TCP carries it. */
export const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
};

/** The nameservers of a resolv.conf. */
export const upstreamsOf = (resolvConf: string): readonly string[] => resolvConf.split('\n').flatMap((line) => {
  const [word, address = ''] = line.trim().split(/\s+/);
  return word === 'nameserver' && isIP(address.replace(/%.*/, '')) !== 0 ? [address] : [];
});

const parseUpstream = (text: string): { readonly host: string; readonly port: number } => {
  const match = /^\[?([0-9a-fA-F.:%\w]+?)\]?(?::(\d+))?$/.exec(text);
  if (isIP(text.replace(/%.*/, '')) !== 0) return { host: text, port: 53 };
  const host = match?.[1] ?? '';
  const port = Number(match?.[2] ?? 53);
  if (isIP(host.replace(/%.*/, '')) === 0 || port < 1 || port > 65_535) throw new Error(`${JSON.stringify(text)} is no DNS server; write an address such as 10.0.0.1 or 10.0.0.1:5353`);
  return { host, port };
};

/** A query with the question and EDNS size of the client's, and nothing else of it. */
const questionMessage = (query: Query): Buffer => {
  const message = encodeResponse(query, { rcode: 0, authoritative: false, answers: [], authority: [], additional: [] }, 65_535);
  message.writeUInt16BE(query.recursionDesired ? 0x100 : 0, 2);
  return message;
};

const answers = (answer: Buffer, message: Buffer): boolean => {
  if (answer.length < 12 || answer.readUInt16BE(0) !== message.readUInt16BE(0) || (answer[2]! & 0x80) === 0 || answer.readUInt16BE(4) !== 1) return false;
  try {
    const [one, other] = [readQuestion(answer).question, readQuestion(message).question];
    return one.name.toLowerCase() === other.name.toLowerCase() && one.type === other.type && one.class === other.class;
  } catch {
    return false;
  }
};
