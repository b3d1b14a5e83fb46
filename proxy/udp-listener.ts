import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock } from '../base/clock.ts';
import type { Endpoint } from './backend.ts';
import type { EndpointChoice } from './endpoint-choice.ts';
import type { Listener } from './userspace.ts';

interface Flow {
  readonly send: (message: Buffer) => void;
  readonly endpoint: Endpoint;
  readonly renew: () => void;
  readonly end: () => void;
}

/** A flow that is silent for so long ends; as long as the kernel remembers a UDP stream. */
const idleMs = 120_000;
/** Flows of one listener at most; the oldest ends when one more comes. */
const mostFlows = 4_096;
const mostEarly = 16;

/** Takes datagrams and carries those of one client address to one endpoint, each over a socket of its own. */
export class UdpListener implements Listener {
  readonly #choice: EndpointChoice;
  readonly #clock: Clock;
  readonly #socket = createSocket('udp4');
  readonly #flows = new Map<string, Flow>();
  #closed = false;

  constructor({ choice, clock }: { readonly choice: EndpointChoice; readonly clock: Clock }) {
    this.#choice = choice;
    this.#clock = clock;
  }

  async listen(host: string, port: number): Promise<void> {
    this.#socket.bind({ address: host, port, exclusive: true });
    await once(this.#socket, 'listening');
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (message, { address, port: from }) => {
      const id = `${address}:${from}`;
      const flow = this.#flows.get(id) ?? this.#open(id, address, from);
      flow?.renew();
      flow?.send(message);
    });
  }

  dropped(endpoints: readonly Endpoint[]): void {
    for (const flow of this.#flows.values()) if (endpoints.some(({ ip, port }) => flow.endpoint.ip === ip && flow.endpoint.port === port)) flow.end();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const flow of this.#flows.values()) flow.end();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #open(id: string, address: string, port: number): Flow | undefined {
    const endpoint = this.#choice.pick(address);
    if (endpoint === undefined) return undefined;
    const socket = createSocket('udp4');
    let cancel = (): void => undefined;
    /** What came before the socket was connected. */
    let early: Buffer[] | undefined = [];
    const flow: Flow = {
      endpoint,
      send: (message) => {
        if (early === undefined) socket.send(message);
        else if (early.length < mostEarly) early.push(message);
      },
      renew: () => {
        cancel();
        cancel = this.#clock.after(idleMs, flow.end);
      },
      end: () => {
        cancel();
        if (this.#flows.get(id) !== flow) return;
        this.#flows.delete(id);
        socket.close();
      },
    };
    this.#flows.set(id, flow);
    if (this.#flows.size > mostFlows) this.#flows.values().next().value?.end();
    socket.on('message', (message) => {
      flow.renew();
      this.#socket.send(message, port, address);
    });
    // Nobody listens there: the client's next datagram goes to another endpoint.
    socket.on('error', () => {
      this.#choice.failed(address);
      flow.end();
    });
    socket.once('connect', () => {
      for (const message of early ?? []) socket.send(message);
      early = undefined;
    });
    socket.connect(endpoint.port, endpoint.ip);
    return flow;
  }
}
