/**
 * UserspaceBackend makes services work without root: it listens on their addresses itself and carries the bytes. It can
 * bind service addresses that are this machine's own (a service CIDR inside 127.0.0.0/8 always is); others are left out
 * and said so, and node ports work in any case. Costs a copy through this process; sources are not preserved. Who asks
 * at a public address counts as outside, for it does not see who is not.
 */
import type { Clock } from '../base/clock.ts';
import { InTurn } from '../base/in-turn.ts';
import type { Log } from '../base/log.ts';
import type { Endpoint, ProxyBackend, ServicePort, ServiceTable } from './backend.ts';
import { TcpListener } from './tcp-listener.ts';
import { UdpListener } from './udp-listener.ts';
import { EndpointChoice, type Choice } from './endpoint-choice.ts';

export interface UserspaceOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Where node ports listen; `127.0.0.1` where absent, `0.0.0.0` for everybody. */
  readonly nodePortHost?: string | undefined;
}

/** A socket that takes connections and gives them to endpoints of one service. */
export interface Listener {
  /** Rejects when the address cannot be bound. */
  listen(host: string, port: number): Promise<void>;
  /** Endpoints are gone; flows without an end of their own (UDP) to them stop. */
  dropped(endpoints: readonly Endpoint[]): void;
  /** Takes no more connections. Those that stand go on, unless `all`. */
  close(options: { readonly all: boolean }): Promise<void>;
}

interface Address {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly service: ServicePort;
}

const choiceAt = ({ host, service: { endpoints, affinitySeconds, guard } }: Address): Choice => ({ endpoints, affinitySeconds, sources: guard?.ips.includes(host) ? guard.ranges : undefined });

interface Bound {
  readonly listener: Listener | undefined;
  readonly choice: EndpointChoice;
}

export class UserspaceBackend implements ProxyBackend {
  readonly name = 'userspace';
  readonly #options: UserspaceOptions;
  readonly #bound = new Map<string, Bound>();
  /** Listeners that take nothing new but still carry connections. */
  readonly #closing = new Set<Listener>();
  readonly #turns = new InTurn();

  constructor(options: UserspaceOptions) {
    this.#options = options;
  }

  apply(table: ServiceTable): Promise<void> {
    return this.#turns.run(() => this.#apply(table));
  }

  remove(): Promise<void> {
    return this.#turns.run(async () => {
      const listeners = [...this.#closing, ...[...this.#bound.values()].flatMap(({ listener }) => listener ?? [])];
      this.#bound.clear();
      this.#closing.clear();
      await Promise.all(listeners.map((listener) => listener.close({ all: true })));
    });
  }

  async #apply(table: ServiceTable): Promise<void> {
    const wanted = new Map<string, Address>();
    // Without endpoints nobody listens, so that the kernel refuses.
    for (const service of table.values()) if (service.endpoints.length > 0) for (const address of this.#addressesOf(service)) wanted.set(address.id, address);
    const gone = [...this.#bound].filter(([id]) => !wanted.has(id));
    await Promise.all(gone.map(([id, { listener }]) => this.#release(id, listener)));
    await Promise.all([...wanted].map(async ([id, address]) => {
      const have = this.#bound.get(id);
      if (have === undefined || have.listener === undefined) this.#bound.set(id, await this.#bind(address, have === undefined));
      else have.listener.dropped(have.choice.set(choiceAt(address)));
    }));
  }

  #addressesOf(service: ServicePort): readonly Address[] {
    const { clusterIps, outsideIps, port, nodePort, protocol } = service;
    if (protocol === 'SCTP') return [];
    const { nodePortHost = '127.0.0.1' } = this.#options;
    const addresses = [...[...clusterIps, ...outsideIps].map((host) => ({ host, port })), ...(nodePort === 0 ? [] : [{ host: nodePortHost, port: nodePort }])];
    return addresses.map((address) => ({ ...address, service, id: `${protocol} ${address.host}:${address.port}` }));
  }

  async #bind(address: Address, first: boolean): Promise<Bound> {
    const { host, port, service } = address;
    const choice = new EndpointChoice(this.#options.clock);
    choice.set(choiceAt(address));
    const listener = service.protocol === 'UDP' ? new UdpListener({ choice, clock: this.#options.clock }) : new TcpListener({ choice });
    try {
      await listener.listen(host, port);
      return { listener, choice };
    } catch (error) {
      if (first) this.#options.log.warn('cannot listen for a service', { service: service.name, address: `${host}:${port}`, error: error instanceof Error ? error.message : String(error) });
      await listener.close({ all: true });
      return { listener: undefined, choice };
    }
  }

  async #release(id: string, listener: Listener | undefined): Promise<void> {
    this.#bound.delete(id);
    if (listener === undefined) return;
    this.#closing.add(listener);
    // Resolves at once for new connections; the rest ends when its last connection does.
    const closed = listener.close({ all: false });
    void closed.then(() => this.#closing.delete(listener));
  }
}
