import { BlockList } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { sameEndpoints } from './table.ts';
import type { Endpoint } from './backend.ts';

/** Clients remembered for one service at most; the longest silent one is forgotten first. */
const mostClients = 65_535;

export interface Choice {
  readonly endpoints: readonly Endpoint[];
  readonly affinitySeconds: number;
  /** Networks of the clients that get an endpoint; undefined: all do. */
  readonly sources: readonly string[] | undefined;
}

/** Which endpoint takes the next connection: each in turn, or the client's own for a while where there is affinity. */
export class EndpointChoice {
  readonly #clock: Clock;
  #endpoints: readonly Endpoint[] = [];
  #affinitySeconds = 0;
  #sources: BlockList | undefined;
  #next = 0;
  /** By client, the longest silent first. */
  readonly #clients = new Map<string, { readonly endpoint: Endpoint; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#endpoints.length;
  }

  /** Takes a new list and gives the endpoints that are gone. */
  set({ endpoints, affinitySeconds, sources }: Choice): readonly Endpoint[] {
    const gone = sameEndpoints(this.#endpoints, endpoints) ? [] : this.#endpoints.filter((old) => !includes(endpoints, old));
    this.#endpoints = endpoints;
    this.#affinitySeconds = affinitySeconds;
    this.#sources = sources === undefined ? undefined : networksOf(sources);
    if (affinitySeconds === 0) this.#clients.clear();
    else if (gone.length > 0) for (const [client, { endpoint }] of this.#clients) if (includes(gone, endpoint)) this.#clients.delete(client);
    return gone;
  }

  /** The endpoint for a client's new connection; undefined when there is none for it. */
  pick(client: string): Endpoint | undefined {
    if (this.#sources?.check(client) === false) return undefined;
    const nowMs = this.#clock.now();
    const known = this.#clients.get(client);
    const endpoint = known !== undefined && known.untilMs > nowMs ? known.endpoint : this.#endpoints[this.#next++ % this.#endpoints.length];
    if (endpoint !== undefined && this.#affinitySeconds > 0) {
      this.#clients.delete(client);
      this.#clients.set(client, { endpoint, untilMs: nowMs + this.#affinitySeconds * 1_000 });
      if (this.#clients.size > mostClients) this.#clients.delete(this.#clients.keys().next().value!);
    }
    return endpoint;
  }

  /** The client's endpoint did not answer; it gets another one. */
  failed(client: string): void {
    this.#clients.delete(client);
  }
}

const includes = (endpoints: readonly Endpoint[], { ip, port }: Endpoint): boolean => endpoints.some((one) => one.ip === ip && one.port === port);

const networksOf = (ranges: readonly string[]): BlockList => {
  const networks = new BlockList();
  for (const range of ranges) {
    const [address = '', bits = '32'] = range.split('/');
    networks.addSubnet(address, Number(bits));
  }
  return networks;
};
