import { demotionAnnotation } from '../../schemas/cluster-info.ts';
import { isReason } from '../../schemas/errors.ts';
import { serverLeaseOf } from '../cluster/server-leases.ts';
import { CommandError, type World } from '../command.ts';
import type { Session } from '../session.ts';
import { TimedOut, untilAmong } from '../until.ts';
import { leasesOfServers, listServers, markedUntilMs, markNode, nodeAt } from './servers.ts';

/** Marks a node, whose machine then stops being a server, and waits until it is none. Throws CommandError for what is no server, or the only one, before anything is marked. */
export const demote = async (session: Session, world: World, name: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<void> => {
  const { api } = session;
  const { signal } = world;
  const lease = serverLeaseOf(name);
  await api.get(nodeAt(name), signal);
  const servers = await listServers(session, signal);
  const others = servers.filter(({ metadata }) => metadata.name !== lease.name);
  if (servers.length > 0 && others.length === servers.length) throw new CommandError(`node ${name} is no server`);
  if (others.length === 0) throw new CommandError(`node ${name} is the only server of the cluster: make another one first ('barge node promote')`);
  const mark = (value: string | null, until?: AbortSignal): Promise<void> => markNode(session, name, { annotation: demotionAnnotation, value }, until);
  await mark(new Date(markedUntilMs(servers, timeoutMs, world)).toISOString(), signal);
  try {
    await untilAmong(session, world, { collection: leasesOfServers, selectors: { fieldSelector: `metadata.name=${lease.name}` }, timeoutMs, look: (found) => (found.size === 0 ? true : undefined) });
    await mark(null);
  } catch (error) {
    // The mark ends by itself.
    if (isReason(error, 'ServiceUnavailable')) throw new CommandError(`the server that was asked answers no more. If it was that of ${name} itself, it has become a worker; another server says so: barge node ls --server https://ADDRESS:6443`, { cause: error });
    await mark(null).catch((problem: unknown) => {
      if (!isReason(problem, 'NotFound', 'ServiceUnavailable')) throw problem;
    });
    if (error instanceof TimedOut) throw new CommandError(`node ${name} is a server still; its log says why. Another server must be there that other machines reach`, { cause: error });
    throw error;
  }
};
