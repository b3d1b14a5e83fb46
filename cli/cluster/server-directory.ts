/**
 * The servers of one cluster. Each holds a Lease that says where it is and renews it; each looks at all of them and says in the
 * endpoints of default/kubernetes which there are. A lease that has not changed for its whole time is that of a server
 * that is gone, whatever the clocks of the machines say. Kubernetes' API servers do the same.
 */
import { advertise, type ServerEndpoint } from '../../apiserver/bootstrap.ts';
import { apiServerUser } from '../../apiserver/api-server-user.ts';
import type { Core } from '../../apiserver/core.ts';
import { rfc3339Micro, sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { createClient, type Client, type ResourceClient } from '../../client/client.ts';
import { isReason } from '../../schemas/errors.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { authoritiesOfServer, listServerLeases, serverAuthoritiesAnnotation, serverLeaseLabel, serverLeaseNamespace, serverLeaseOf, serverOf } from './server-leases.ts';

const namespace = serverLeaseNamespace;
const endpointAnnotation = 'barge.dev/endpoint';

const leaseMs = 15_000;
const renewMs = 5_000;
const lookMs = 1_000;

export interface ServerDirectoryOptions {
  readonly core: Core;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this server; of the servers of a cluster each has its own. */
  readonly name: string;
  /** Hashes of the authorities that it trusts, the first of which has signed all that it shows; empty as long as that is not so. */
  readonly authorities?: (() => readonly string[]) | undefined;
}

/** What a look at the leases found: when each was first seen as it is. */
type Looks = ReadonlyMap<string, { readonly resourceVersion: string; readonly sinceMs: number }>;

/** The leases that are renewed, those that are not, and what to remember for the next look. */
export const sortLeases = (leases: readonly Lease[], before: Looks, nowMs: number): { readonly alive: readonly Lease[]; readonly gone: readonly Lease[]; readonly looks: Looks } => {
  const looks = new Map(leases.map(({ metadata: { name = '', resourceVersion = '' } }) => {
    const old = before.get(name);
    return [name, old?.resourceVersion === resourceVersion ? old : { resourceVersion, sinceMs: nowMs }];
  }));
  const isGone = ({ metadata: { name = '' } }: Lease): boolean => nowMs - looks.get(name)!.sinceMs >= leaseMs;
  return { alive: leases.filter((lease) => !isGone(lease)), gone: leases.filter(isGone), looks };
};

/** Where pods reach the server that a lease is of; undefined where they do not. */
export const endpointOf = ({ metadata }: Lease): ServerEndpoint | undefined => {
  const match = /^(.+):(\d+)$/.exec(metadata.annotations?.[endpointAnnotation] ?? '');
  return match === null ? undefined : { address: match[1]!, port: Number(match[2]) };
};

export class ServerDirectory {
  readonly #options: ServerDirectoryOptions;
  readonly #client: Client;
  readonly #leases: ResourceClient<Lease>;
  readonly #name: string;
  #own: ServerEndpoint | undefined;
  #looks: Looks = new Map();
  #advertised: readonly ServerEndpoint[] | undefined;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ServerDirectoryOptions) {
    this.#options = options;
    this.#name = serverLeaseOf(options.name).name;
    this.#client = createClient(options.core.as(apiServerUser));
    this.#leases = this.#client.of(Lease);
  }

  /** The addresses at which pods reach the servers, as far as this one knows. */
  get addresses(): readonly string[] {
    return (this.#advertised ?? []).map(({ address }) => address);
  }

  /** Enters this server, and keeps it entered. Called again when pods reach it elsewhere. */
  async enter(own: ServerEndpoint | undefined): Promise<void> {
    const first = this.#advertised === undefined;
    this.#own = own;
    await this.#turn();
    if (first) this.#running = this.#keep();
  }

  /** Takes this server out, so that nobody waits for its lease to end. */
  async leave(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#running;
    if (this.#advertised === undefined) return;
    try {
      await this.takeOut();
    } catch (error) {
      this.#options.log.debug('this server could not be taken out of the list of servers; its lease ends by itself', { error });
    }
  }

  /** Takes this server out, whether this process has entered it or another that is gone. */
  async takeOut(): Promise<void> {
    await this.#leases.delete({ namespace, name: this.#name }).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error;
    });
    await this.#look();
  }

  /** Names of the other servers, of which some may have gone without a word in the last 15 s. */
  async others(): Promise<readonly string[]> {
    return (await listServerLeases(this.#client)).map(serverOf).filter((name) => name !== this.#options.name).sort();
  }

  /** The same, once each of them has renewed its lease, or has not for all its time. */
  async othersAlive(): Promise<readonly string[]> {
    const { clock } = this.#options;
    const seen = new Map<string, string>();
    const renewed = new Set<string>();
    for (let looks: Looks = new Map(); ;) {
      const sorted = sortLeases((await listServerLeases(this.#client)).filter(({ metadata }) => metadata.name !== this.#name), looks, clock.now());
      looks = sorted.looks;
      for (const lease of sorted.alive) {
        const [name, { resourceVersion = '' }] = [serverOf(lease), lease.metadata];
        if ((seen.get(name) ?? resourceVersion) !== resourceVersion) renewed.add(name);
        seen.set(name, resourceVersion);
      }
      if (sorted.alive.every((lease) => renewed.has(serverOf(lease)))) return [...renewed].sort();
      await sleep(clock, lookMs, this.#closing.signal);
    }
  }

  /** The other servers, with where pods and machines reach each: those that have renewed their leases meanwhile. */
  async othersAt(): Promise<readonly { readonly name: string; readonly endpoint: ServerEndpoint }[]> {
    const alive = await this.othersAlive();
    return (await listServerLeases(this.#client)).flatMap((lease) => {
      const [name, endpoint] = [serverOf(lease), endpointOf(lease)];
      return endpoint === undefined || !alive.includes(name) ? [] : [{ name, endpoint }];
    });
  }

  /** Names of the servers that live and have not said that all their certificates are of this authority. */
  async without(authority: string): Promise<readonly string[]> {
    const { alive } = sortLeases(await listServerLeases(this.#client), this.#looks, this.#options.clock.now());
    return alive.filter((lease) => authoritiesOfServer(lease)[0] !== authority).map(serverOf).sort();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    for (await sleep(this.#options.clock, renewMs, signal); !signal.aborted; await sleep(this.#options.clock, renewMs, signal)) {
      await this.#turn().catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn('the list of servers could not be kept; trying again', { error });
      });
    }
  }

  async #turn(): Promise<void> {
    await this.#renew();
    await this.#look();
  }

  async #renew(): Promise<void> {
    const spec = { holderIdentity: this.#name, leaseDurationSeconds: leaseMs / 1_000, renewTime: rfc3339Micro(this.#options.clock.now()) };
    const authorities = this.#options.authorities?.() ?? [];
    const annotations = {
      ...(this.#own === undefined ? {} : { [endpointAnnotation]: `${this.#own.address}:${this.#own.port}` }),
      ...(authorities.length === 0 ? {} : { [serverAuthoritiesAnnotation]: authorities.join() }),
    };
    const key = { namespace, name: this.#name };
    const held = await this.#leases.find(key);
    if (held === undefined) await this.#leases.create({ metadata: { ...key, labels: serverLeaseLabel, annotations }, spec });
    else await this.#leases.update({ ...held, metadata: { ...held.metadata, labels: serverLeaseLabel, annotations }, spec });
  }

  async #look(): Promise<void> {
    const { alive, gone, looks } = sortLeases(await listServerLeases(this.#client), this.#looks, this.#options.clock.now());
    this.#looks = looks;
    for (const { metadata: { name = '', uid, resourceVersion } } of gone) {
      await this.#leases.delete({ namespace, name }, { preconditions: { uid, resourceVersion } }).catch((error: unknown) => {
        if (!isReason(error, 'NotFound', 'Conflict')) throw error;
      });
    }
    const endpoints = alive.flatMap((lease) => endpointOf(lease) ?? []);
    // Also where nothing has changed here: another may have written what it saw before us. What is right is not written again.
    await advertise(this.#options.core, endpoints);
    this.#advertised = endpoints;
  }
}
