import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { BlockList, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { answer, refusal, type DnsAnswer, type DnsView } from './dns.ts';
import { DnsForwarder, framed } from './dns-forwarder.ts';
import { decodeAnswers, decodeQuery, encodeFormatError, encodeResponse, rcodes, safeUdpBytes, type Query } from './dns-message.ts';

export interface DnsServerOptions {
  readonly view: DnsView;
  /** `cluster.local`. */
  readonly domain: string;
  readonly upstreams: readonly string[];
  /** Networks whose clients may ask for names outside the cluster; loopback and private networks where absent. */
  readonly clients?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const privateNetworks = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];
const limits = { tcpConnections: 256, tcpIdleMs: 10_000, tcpQuestionsAtOnce: 16 } as const;

/** A DNS server for the cluster's names over UDP and TCP; other names are asked of the upstreams. */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #forwarder: DnsForwarder;
  readonly #clients = new BlockList();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  readonly #connections = new Set<Socket>();

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#forwarder = new DnsForwarder({ upstreams: options.upstreams, clock: options.clock });
    for (const network of options.clients ?? privateNetworks) {
      const [address = '', bits = '32'] = network.split('/');
      this.#clients.addSubnet(address, Number(bits), 'ipv4');
    }
  }

  /** Listens on both; port 0 picks one that is free for both. Gives the port. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<{ readonly port: number }> {
    const tcp = createServer((socket) => this.#accept(socket));
    tcp.maxConnections = limits.tcpConnections;
    tcp.listen(port, host);
    await once(tcp, 'listening');
    this.#tcp = tcp;
    const bound = (tcp.address() as { readonly port: number }).port;
    const udp = createSocket('udp4');
    udp.on('message', (message, from) => void this.#datagram(udp, message, from));
    udp.bind(bound, host);
    try {
      await once(udp, 'listening');
    } catch (error) {
      tcp.close();
      udp.close();
      this.#tcp = undefined;
      throw error;
    }
    // Answers to clients that are gone come back as errors.
    udp.on('error', (error) => this.#options.log.debug('DNS socket', { error }));
    this.#udp = udp;
    return { port: bound };
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    const tcp = this.#tcp;
    const udp = this.#udp;
    this.#tcp = undefined;
    this.#udp = undefined;
    await Promise.all([
      tcp === undefined ? undefined : new Promise((resolve) => tcp.close(resolve)),
      udp === undefined ? undefined : new Promise<void>((resolve) => udp.close(() => resolve())),
    ]);
  }

  async #datagram(socket: UdpSocket, message: Buffer, from: RemoteInfo): Promise<void> {
    const reply = await this.#reply(message, from.address, 'udp');
    if (reply !== undefined && this.#udp === socket) socket.send(reply, from.port, from.address);
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    let received = Buffer.alloc(0);
    let working = 0;
    const cut = (): void => void socket.destroy();
    let cancelIdle = this.#options.clock.after(limits.tcpIdleMs, cut);
    socket.on('close', () => {
      cancelIdle();
      this.#connections.delete(socket);
    });
    socket.on('error', () => undefined);
    const takeQuestions = (): void => {
      while (working < limits.tcpQuestionsAtOnce && received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const message = Buffer.from(received.subarray(2, end));
        received = received.subarray(end);
        working++;
        void this.#reply(message, socket.remoteAddress ?? '', 'tcp').then((reply) => {
          working--;
          if (reply !== undefined && socket.writable) socket.write(framed(reply));
          takeQuestions();
        });
      }
      if (working < limits.tcpQuestionsAtOnce) socket.resume();
      else socket.pause();
    };
    socket.on('data', (chunk: Buffer) => {
      cancelIdle();
      cancelIdle = this.#options.clock.after(limits.tcpIdleMs, cut);
      received = Buffer.concat([received, chunk]);
      takeQuestions();
    });
  }

  /** The bytes to send back, or undefined for what deserves no answer. Never rejects. */
  async #reply(message: Buffer, client: string, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    let query: Query | undefined;
    try {
      query = decodeQuery(message);
    } catch {
      return encodeFormatError(message);
    }
    if (query === undefined) return undefined;
    const room = transport === 'tcp' ? 65_535 : Math.min(query.ednsBytes ?? 512, safeUdpBytes);
    try {
      const own = this.#own(query);
      if (own !== undefined) return encodeResponse(query, await this.#followed(query, own), room);
      if (!query.recursionDesired || !this.#mayRecurse(client)) return encodeResponse(query, refusal(rcodes.REFUSED), room);
      const forwarded = await this.#forwarder.ask(query, transport);
      if (forwarded === undefined) return encodeResponse(query, refusal(this.#options.upstreams.length === 0 ? rcodes.REFUSED : rcodes.SERVFAIL), room);
      // An upstream may ignore the size that the client named; cut, the client asks again over TCP.
      return forwarded.length <= room ? forwarded : truncated(query);
    } catch (error) {
      this.#options.log.error('cannot answer a DNS question', { name: query.question.name, type: query.question.type, error });
      return encodeResponse(query, refusal(rcodes.SERVFAIL), room);
    }
  }

  #own(query: Query): DnsAnswer | undefined {
    if (query.opcode !== 0) return refusal(rcodes.NOTIMP);
    // BADVERS is 16: its upper bits travel in the EDNS record.
    if (query.ednsVersion > 0) return refusal(16);
    if (query.question.class !== 1 && query.question.class !== 255) return refusal(rcodes.REFUSED);
    return answer(query.question, this.#options.domain, this.#options.view);
  }

  /** Adds what an ExternalName leads to, since a pod's stub resolver asks only once. */
  async #followed(query: Query, own: DnsAnswer): Promise<DnsAnswer> {
    if (own.follow === undefined) return own;
    const further = { ...query, question: { ...query.question, name: own.follow }, recursionDesired: true };
    const message = await this.#forwarder.ask(further, 'udp');
    if (message === undefined) return own;
    const { rcode, answers } = decodeAnswers(message);
    return { ...own, rcode, authoritative: false, answers: [...own.answers, ...answers] };
  }

  #mayRecurse(client: string): boolean {
    return this.#clients.check(client.replace(/^::ffff:/, ''), 'ipv4');
  }
}

const truncated = (query: Query): Buffer => {
  const message = encodeResponse(query, refusal(rcodes.NOERROR), 65_535);
  message.writeUInt8(message[2]! | 0x02, 2);
  return message;
};

