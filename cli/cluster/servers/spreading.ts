/**
 * Nodes spread over the servers again: a server that comes, or comes back, gets its part of them. Each node decides for itself and by
 * chance, some minutes later, so that nobody has to know the others and no server is fallen upon at one moment.
 */
import { sleep } from '../../../base/clock.ts';
import type { Surroundings } from '../../../base/component.ts';
import type { ServerAddress, ServerChoice } from '../../../client/server-choice.ts';

export interface SpreadingOptions {
  readonly servers: ServerChoice;
  /** Whether a server would answer this client. */
  readonly probe: (server: ServerAddress, signal: AbortSignal) => Promise<boolean>;
}

/** A server that was lost for less than 15 s has not left the list; who left it comes back to it after that time at the soonest. */
const waitMs = { shortest: 30_000, longest: 180_000 } as const;

/**
 * Where a client is to go when the list of servers is another one, undefined for where it is: of `count` servers, k of which are new, each
 * client is with one of the new ones by a chance of k in `count`. So all servers have as many as before, whatever there was before.
 */
export const spread = <T>(before: readonly T[], now: readonly T[], current: T, random: () => number): T | undefined => {
  const fresh = now.filter((one) => !before.includes(one));
  // It has found one of them by itself.
  if (fresh.includes(current)) return undefined;
  return random() * now.length < fresh.length ? fresh[Math.floor(random() * fresh.length)] : undefined;
};

const hostOf = ({ url }: ServerAddress): string => new URL(url).host;

export class Spreading {
  readonly #around: Pick<Surroundings, 'clock' | 'random' | 'log'>;
  readonly #options: SpreadingOptions;
  readonly #signal: AbortSignal;
  /** As the cluster said last. A client that starts knows of the one that it began with, so it too may come to be with any. */
  #listed: readonly string[];
  #planned = new AbortController();

  /** Works until the signal aborts. */
  constructor(around: Pick<Surroundings, 'clock' | 'random' | 'log'>, options: SpreadingOptions, signal: AbortSignal) {
    this.#around = around;
    this.#options = options;
    this.#signal = signal;
    this.#listed = [hostOf(options.servers.current)];
  }

  /** The cluster has these servers now. */
  listed(servers: readonly ServerAddress[]): void {
    const hosts = servers.map(hostOf);
    const before = this.#listed;
    this.#listed = hosts;
    const host = spread(before, hosts, hostOf(this.#options.servers.current), this.#around.random);
    if (host !== undefined) this.#plan(host);
  }

  /** This client had to leave a server: it was its share of that one's, and goes back if the server does. */
  left(server: ServerAddress): void {
    this.#plan(hostOf(server));
  }

  /** One plan at a time: the last event says the most. */
  #plan(host: string): void {
    this.#planned.abort();
    this.#planned = new AbortController();
    void this.#go(host, AbortSignal.any([this.#signal, this.#planned.signal]));
  }

  async #go(host: string, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#around;
    const { servers, probe } = this.#options;
    await sleep(clock, waitMs.shortest + random() * (waitMs.longest - waitMs.shortest), signal);
    const target = servers.known.find((one) => hostOf(one) === host);
    if (signal.aborted || target === undefined || target === servers.current || !this.#listed.includes(host)) return;
    const answers = await probe(target, signal).catch(() => false);
    if (!answers || signal.aborted) return;
    log.info('going to a server that has come, so that each has its part of the nodes', { server: target.url });
    servers.goTo(target);
  }
}
