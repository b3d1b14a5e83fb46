/**
 * Which server of a cluster a client speaks to, where there are several. It stays with one as long as that answers. When a
 * connection cannot be had, or a sign of life is not answered, it goes to another, by chance, so that the clients of a server that
 * is lost spread over the rest; each of the others is tried before one is tried again. What is not urgent waits a little
 * first, by chance too, and longer each time that the next one does not answer either: many clients must not fall upon the servers that are left.
 */
import { sleep, type Clock } from '../base/clock.ts';

export interface ServerAddress {
  /** `https://HOST:PORT`, with a path where the API lies below one. */
  readonly url: string;
  /** The name to expect in its certificate, where that is not the host. */
  readonly tlsServerName?: string | undefined;
}

export interface ServerChoiceOptions {
  /** The server that the user named; it is tried first, and remains one of them whatever the cluster says. */
  readonly first: ServerAddress;
  /** More that the user named; they remain too. */
  readonly named?: readonly ServerAddress[];
  /** Others, as far as they are known. */
  readonly others?: readonly ServerAddress[];
  readonly clock: Clock;
  readonly random: () => number;
}

/** After a server that did not answer others wait up to this long, twice as long after each further one. */
const pause = { firstMs: 1_000, longestMs: 8_000 } as const;
/** A server that is there but slow is left no sooner than this after the one before: to leave costs both sides more than to wait. */
const shortestStayMs = 30_000;

/** Why a client is with another server: the one before did not answer, or there is reason to spread anew. */
export type MoveReason = 'lost' | 'spread';

const hostOf = ({ url }: ServerAddress): string => new URL(url).host;

export class ServerChoice {
  readonly #options: ServerChoiceOptions;
  #all: readonly ServerAddress[];
  #current: ServerAddress;
  /** Since one answered. */
  #failed = new Set<string>();
  #notBeforeMs = 0;
  #leftSlowAtMs = -Infinity;
  readonly #listeners = new Set<(why: MoveReason, before: ServerAddress) => void>();

  constructor(options: ServerChoiceOptions) {
    this.#options = options;
    this.#current = options.first;
    this.#all = this.#merged(options.others ?? []);
  }

  get current(): ServerAddress {
    return this.#current;
  }

  /** All that there are to choose from. */
  get known(): readonly ServerAddress[] {
    return this.#all;
  }

  /** True where there is another to go to. */
  get hasOthers(): boolean {
    return this.#all.length > 1;
  }

  /** Takes the servers that the cluster has now. An empty list is of a cluster that ends, and says nothing. */
  know(servers: readonly ServerAddress[]): void {
    if (servers.length > 0) this.#all = this.#merged(servers);
  }

  /** Calls back when the choice is another server, with the one before; gives the function that ends that. */
  onMoved(listener: (why: MoveReason, before: ServerAddress) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A server did not answer: `unreachable` that there was no connection to it, `slow` that an urgent request on one was not answered. */
  failed(server: ServerAddress, why: 'unreachable' | 'slow'): void {
    // What comes late from a server that was left says nothing of the one that there is.
    if (server !== this.#current || !this.hasOthers) return;
    const { clock, random } = this.#options;
    if (why === 'slow') {
      if (clock.now() - this.#leftSlowAtMs < shortestStayMs) return;
      this.#leftSlowAtMs = clock.now();
    }
    this.#failed.add(server.url);
    const others = this.#all.filter((one) => one !== server);
    const untried = others.filter(({ url }) => !this.#failed.has(url));
    const among = untried.length > 0 ? untried : others;
    this.#notBeforeMs = clock.now() + random() * Math.min(pause.firstMs * 2 ** (this.#failed.size - 1), pause.longestMs);
    this.#move(among[Math.floor(random() * among.length)]!, 'lost');
  }

  /** Goes to a server that is known to answer. */
  goTo(server: ServerAddress): void {
    if (server !== this.#current) this.#move(server, 'spread');
  }

  /** A server answered: all are worth a try again. */
  answered(server: ServerAddress): void {
    if (server === this.#current && this.#failed.size > 0) this.#failed = new Set();
  }

  /** Resolves when a request that is not urgent may go out, or the signal aborts. */
  async ready(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const leftMs = this.#notBeforeMs - this.#options.clock.now();
    if (leftMs <= 0 || signal.aborted) return;
    await sleep(this.#options.clock, leftMs, signal);
    // It may have gone on to yet another meanwhile.
    await this.ready(signal);
  }

  #move(server: ServerAddress, why: MoveReason): void {
    const before = this.#current;
    this.#current = server;
    for (const listener of this.#listeners) listener(why, before);
  }

  /** Those given and the user's own, each once; which is in use stays in use. */
  #merged(servers: readonly ServerAddress[]): readonly ServerAddress[] {
    const byHost = new Map([...servers, ...this.#options.named ?? [], this.#options.first].map((one) => [hostOf(one), one]));
    if (byHost.has(hostOf(this.#current))) byHost.set(hostOf(this.#current), this.#current);
    return [...byHost.values()];
  }
}
