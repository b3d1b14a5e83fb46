import { bootstrap } from '../../apiserver/bootstrap.ts';
import { Core, type CoreOptions } from '../../apiserver/core.ts';
import { MemoryStorage } from '../../apiserver/storage/memory.ts';
import { silentLog } from '../../base/log.ts';
import { createClient, type Client } from '../../client/client.ts';
import type { Transport, UserInfo } from '../../schemas/api.ts';
import { isReason } from '../../schemas/errors.ts';
import { builtinKinds, createRegistry, type Registry } from '../../schemas/registry.ts';
import { FakeClock } from './fake-clock.ts';

export const admin: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** A generator of numbers in [0, 1) that gives the same row for the same seed (mulberry32). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

let registry: Promise<Registry> | undefined;

/** The registry of all built-in kinds. */
export const testRegistry = (): Promise<Registry> => (registry ??= builtinKinds().then(createRegistry));

export interface TestApi {
  readonly core: Core;
  /** As `admin`, who may do everything. */
  readonly transport: Transport;
  readonly client: Client;
  readonly clock: FakeClock;
  readonly storage: MemoryStorage;
  readonly registry: Registry;
  close(): Promise<void>;
}

export interface TestApiOptions extends Partial<Omit<CoreOptions, 'clock' | 'storage'>> {
  readonly clock?: FakeClock;
  /** An earlier one's, to start a server again on the same state. */
  readonly storage?: MemoryStorage;
  /** Made at the start beside default, kube-system, kube-public and kube-node-lease. */
  readonly namespaces?: readonly string[];
  readonly user?: UserInfo;
}

/**
 * A real API server in this process: in-memory store, all built-in kinds, a clock that stands still, chance from a fixed
 * seed. Everything is allowed unless an authorizer is given.
 */
export const testApi = async ({ clock = new FakeClock(), storage = new MemoryStorage(), namespaces = [], user = admin, serviceCidr = '10.96.0.0/16', ...options }: TestApiOptions = {}): Promise<TestApi> => {
  const core = await Core.open({
    registry: await testRegistry(), random: seededRandom(1), log: silentLog, authorizer: { authorize: () => undefined },
    nodePortRange: { from: 30000, to: 32767 }, ...options, serviceCidr, clock, storage,
  });
  await bootstrap(core, {});
  await createNamespaces(core.as(admin), namespaces);
  const transport = core.as(user);
  return { core, transport, client: createClient(transport), clock, storage, registry: core.registry, close: () => core.close() };
};

const createNamespaces = async (transport: Transport, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'namespaces', body: { metadata: { name } } }).catch((error: unknown) => {
      if (!isReason(error, 'AlreadyExists')) throw error;
    });
  }
};
