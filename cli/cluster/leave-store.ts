/** A server that is reset leaves the store that it shares with others, or ends it where it was the last. */
import { apiServerUser } from '../../apiserver/api-server-user.ts';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { Core } from '../../apiserver/core.ts';
import { EtcdStorage } from '../../apiserver/storage/etcd.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { createClient } from '../../client/client.ts';
import { isReason } from '../../schemas/errors.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { builtinKinds, createRegistry } from '../../schemas/registry.ts';
import type { EtcdConfig } from '../etcd-config.ts';
import { nodePortRange } from './node-port-range.ts';
import { etcdOptions } from './open-storage.ts';
import { ServerDirectory } from './server-directory.ts';
import type { StoreNote } from './store-note.ts';

/** The rules of the API on the store, without a server, for the time of some work. */
const withCore = async <T>({ serviceCidr, etcd }: Pick<StoreNote, 'serviceCidr' | 'etcd'>, work: (core: Core) => Promise<T>): Promise<T> => {
  const surroundings = { clock: systemClock, log: silentLog };
  const storage = await EtcdStorage.open({ ...await etcdOptions(etcd), ...surroundings });
  try {
    const core = await Core.open({ storage, registry: createRegistry(await builtinKinds()), random: Math.random, authorizer: createClusterAuthorizer, serviceCidr, nodePortRange, ...surroundings });
    try {
      return await work(core);
    } finally {
      await core.close();
    }
  } finally {
    await storage.close();
  }
};

const directoryOf = (core: Core, name: string): ServerDirectory => new ServerDirectory({ core, clock: systemClock, log: silentLog, name });

/** Names of the servers that run on the store, but for this one. Takes 15 s where one has ended without a word. */
export const otherServers = ({ nodeName = '', ...store }: Pick<StoreNote, 'serviceCidr' | 'etcd'> & { readonly nodeName: string | undefined }): Promise<readonly string[]> =>
  withCore(store, (core) => directoryOf(core, nodeName).othersAlive());

/** Takes the server and its node out of the cluster, whose objects stay. Gives words for what it did. */
export const leaveStore = (note: StoreNote): Promise<string> => withCore(note, async (core) => {
  const { nodeName, agent, etcd } = note;
  const { endpoints, prefix } = etcd;
  // Somebody has erased it; opening it has left a trace.
  if (await createClient(core.as(apiServerUser)).of(Namespace).find({ name: 'default' }) === undefined) return eraseStore(etcd);
  const node = agent && await createClient(core.as(apiServerUser)).of(Node).delete({ name: nodeName }).then(() => true, (error: unknown) => {
    if (isReason(error, 'NotFound')) return false;
    throw error;
  });
  const directory = directoryOf(core, nodeName);
  await directory.takeOut();
  const others = await directory.others();
  const where = `the objects of the cluster stay in etcd (${endpoints.join(',')} under ${prefix})`;
  return [
    `took the server${node ? ' and the node' : ''} ${nodeName} out of the cluster`,
    others.length > 0 ? `${where} for its other servers: ${others.join(', ')}` : `${where}; it has no other server: 'barge reset --store --etcd-servers ${endpoints.join(',')} --etcd-prefix ${prefix}' removes them`,
  ].join('\n');
});

/** Removes all objects of the cluster for good. */
export const eraseStore = async (etcd: EtcdConfig): Promise<string> => {
  await EtcdStorage.erase({ ...await etcdOptions(etcd), clock: systemClock, log: silentLog });
  return `removed all objects of the cluster from etcd (${etcd.endpoints.join(',')} under ${etcd.prefix})`;
};
