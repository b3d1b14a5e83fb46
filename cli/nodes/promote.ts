import { isReason } from '../../schemas/errors.ts';
import { printPromotionMark, promotionAnnotation } from '../../schemas/cluster-info.ts';
import { serverLeaseOf } from '../cluster/server-leases.ts';
import { onlyServer, serversKey } from '../cluster/same-cluster.ts';
import { CommandError, type World } from '../command.ts';
import type { Session } from '../session.ts';
import { TimedOut, untilAmong } from '../until.ts';
import { leasesOfServers, listServers, markedUntilMs, markNode, nodeAt } from './servers.ts';

export interface PromoteOptions {
  /** Where the API server of the machine is to listen. */
  readonly listen: string;
  readonly timeoutMs: number;
}

/**
 * Marks a node, whose machine then becomes a server, and waits until it is one. The mark lets the machine get the cluster's keys, so it
 * goes when the wait ends, and says when that is, for a command that is killed. Throws CommandError for what cannot become a server, before anything is marked.
 */
export const promote = async (session: Session, world: World, name: string, { listen, timeoutMs }: PromoteOptions): Promise<void> => {
  const { api } = session;
  const { signal } = world;
  if (await api.find({ group: '', version: 'v1', resource: 'configmaps', ...serversKey }, signal) === undefined) throw new CommandError(onlyServer);
  await api.get(nodeAt(name), signal);
  const lease = serverLeaseOf(name);
  const servers = await listServers(session, signal);
  if (servers.some(({ metadata }) => metadata.name === lease.name)) throw new CommandError(`node ${name} is a server already`);
  const mark = (value: string | null, until?: AbortSignal): Promise<void> => markNode(session, name, { annotation: promotionAnnotation, value }, until);
  await mark(printPromotionMark({ listen, untilMs: markedUntilMs(servers, timeoutMs, world) }), signal);
  try {
    await untilAmong(session, world, { collection: leasesOfServers, selectors: { fieldSelector: `metadata.name=${lease.name}` }, timeoutMs, look: (found) => (found.size > 0 ? true : undefined) });
  } catch (error) {
    if (error instanceof TimedOut) throw new CommandError(`node ${name} has not become a server; its log says why. Only a machine that has joined with 'barge join' becomes one, of this version of barge, where nothing listens on ${listen} yet and etcd is in reach`, { cause: error });
    throw error;
  } finally {
    await mark(null).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error;
    });
  }
};
