import { isReason } from '../../schemas/errors.ts';
import { promotionAnnotation } from '../../schemas/cluster-info.ts';
import { serverLeaseOf } from '../cluster/server-leases.ts';
import { onlyServer, serversKey } from '../cluster/same-cluster.ts';
import { CommandError, type World } from '../command.ts';
import type { Session } from '../session.ts';
import { TimedOut, untilAmong } from '../until.ts';

const node = (name: string) => ({ group: '', version: 'v1', resource: 'nodes', name }) as const;
const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' } as const;

export interface PromoteOptions {
  /** Where the API server of the machine is to listen. */
  readonly listen: string;
  readonly timeoutMs: number;
}

/**
 * Marks a node, whose machine then becomes a server, and waits until it is one. The mark does not outlive the wait: it lets the
 * machine get the cluster's keys. Throws CommandError for what cannot become a server, before anything is marked.
 */
export const promote = async (session: Session, world: World, name: string, { listen, timeoutMs }: PromoteOptions): Promise<void> => {
  const { api } = session;
  const { signal } = world;
  if (await api.find({ group: '', version: 'v1', resource: 'configmaps', ...serversKey }, signal) === undefined) throw new CommandError(onlyServer);
  await api.get(node(name), signal);
  const lease = serverLeaseOf(name);
  if (await api.find({ ...leases, ...lease }, signal) !== undefined) throw new CommandError(`node ${name} is a server already`);
  const mark = (value: string | null, until?: AbortSignal): Promise<unknown> =>
    api.send({ ...node(name), verb: 'patch', patchType: 'merge', body: { metadata: { annotations: { [promotionAnnotation]: value } } }, options: { fieldManager: 'barge-node' } }, until);
  await mark(listen, signal);
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
