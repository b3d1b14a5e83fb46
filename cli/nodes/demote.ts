import { demotionAnnotation } from '../../schemas/cluster-info.ts';
import { isReason } from '../../schemas/errors.ts';
import { serverLeaseLabel, serverLeaseOf } from '../cluster/server-leases.ts';
import { CommandError, type World } from '../command.ts';
import type { Session } from '../session.ts';
import { TimedOut, untilAmong } from '../until.ts';
import { serversNow } from './promote.ts';

const node = (name: string) => ({ group: '', version: 'v1', resource: 'nodes', name }) as const;
const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' } as const;

/** Servers renew their leases every 5 s, and the machine waits for a renewal of each other one. */
const slackMs = 15_000;

/** Marks a node, whose machine then stops being a server, and waits until it is none. Throws CommandError for what is no server, or the only one, before anything is marked. */
export const demote = async (session: Session, world: World, name: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<void> => {
  const { api } = session;
  const { signal } = world;
  const lease = serverLeaseOf(name);
  const labelSelector = Object.entries(serverLeaseLabel).map((pair) => pair.join('=')).join();
  await api.get(node(name), signal);
  const { items: servers } = await api.list({ ...leases, namespace: lease.namespace }, { labelSelector }, signal);
  const others = servers.filter(({ metadata }) => metadata.name !== lease.name);
  if (servers.length > 0 && others.length === servers.length) throw new CommandError(`node ${name} is no server`);
  if (others.length === 0) throw new CommandError(`node ${name} is the only server of the cluster: make another one first ('barge node promote')`);
  const mark = (value: string | null, until?: AbortSignal): Promise<unknown> =>
    api.send({ ...node(name), verb: 'patch', patchType: 'merge', body: { metadata: { annotations: { [demotionAnnotation]: value } } }, options: { fieldManager: 'barge-node' } }, until);
  await mark(new Date(serversNow(servers, world) + timeoutMs + slackMs).toISOString(), signal);
  try {
    await untilAmong(session, world, { collection: { ...leases, namespace: lease.namespace }, selectors: { fieldSelector: `metadata.name=${lease.name}` }, timeoutMs, look: (found) => (found.size === 0 ? true : undefined) });
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
