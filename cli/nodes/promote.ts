import { isReason } from '../../schemas/errors.ts';
import { printPromotionMark, promotionAnnotation } from '../../schemas/cluster-info.ts';
import { serverLeaseLabel, serverLeaseOf } from '../cluster/server-leases.ts';
import { onlyServer, serversKey } from '../cluster/same-cluster.ts';
import { CommandError, type World } from '../command.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Lease } from '../../schemas/kinds/coordination/lease.ts';
import type { Session } from '../session.ts';
import { TimedOut, untilAmong } from '../until.ts';

const node = (name: string) => ({ group: '', version: 'v1', resource: 'nodes', name }) as const;
const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' } as const;

export interface PromoteOptions {
  /** Where the API server of the machine is to listen. */
  readonly listen: string;
  readonly timeoutMs: number;
}

/** Servers renew their leases every 5 s; what is left is for the way to them. */
const slackMs = 15_000;

/** The time by the servers' clocks, which is what the mark is held to. */
export const serversNow = (servers: readonly ApiObject[], { clock }: Pick<World, 'clock'>): number => {
  const renewed = (servers as readonly Lease[]).map(({ spec }) => Date.parse(spec?.renewTime ?? '')).filter((atMs) => !Number.isNaN(atMs));
  return renewed.length === 0 ? clock.now() : Math.max(...renewed);
};

/**
 * Marks a node, whose machine then becomes a server, and waits until it is one. The mark lets the machine get the cluster's keys, so it
 * goes when the wait ends, and says when that is, for a command that is killed. Throws CommandError for what cannot become a server, before anything is marked.
 */
export const promote = async (session: Session, world: World, name: string, { listen, timeoutMs }: PromoteOptions): Promise<void> => {
  const { api } = session;
  const { signal } = world;
  if (await api.find({ group: '', version: 'v1', resource: 'configmaps', ...serversKey }, signal) === undefined) throw new CommandError(onlyServer);
  await api.get(node(name), signal);
  const lease = serverLeaseOf(name);
  const labelSelector = Object.entries(serverLeaseLabel).map((pair) => pair.join('=')).join();
  const { items: servers } = await api.list({ ...leases, namespace: lease.namespace }, { labelSelector }, signal);
  if (servers.some(({ metadata }) => metadata.name === lease.name)) throw new CommandError(`node ${name} is a server already`);
  const mark = (value: string | null, until?: AbortSignal): Promise<unknown> =>
    api.send({ ...node(name), verb: 'patch', patchType: 'merge', body: { metadata: { annotations: { [promotionAnnotation]: value } } }, options: { fieldManager: 'barge-node' } }, until);
  await mark(printPromotionMark({ listen, untilMs: serversNow(servers, world) + timeoutMs + slackMs }), signal);
  try {
    await untilAmong(session, world, { collection: { ...leases, namespace: lease.namespace }, selectors: { fieldSelector: `metadata.name=${lease.name}` }, timeoutMs, look: (found) => (found.size > 0 ? true : undefined) });
  } catch (error) {
    if (error instanceof TimedOut) throw new CommandError(`node ${name} has not become a server; its log says why. Only a machine that has joined with 'barge join' becomes one, of this version of barge, where nothing listens on ${listen} yet and etcd is in reach`, { cause: error });
    throw error;
  } finally {
    await mark(null).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error;
    });
  }
};
