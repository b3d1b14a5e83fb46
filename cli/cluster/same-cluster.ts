/** What all servers of a cluster must have in common, written down by the first and compared by each. */
import { createPublicKey } from 'node:crypto';
import { createClient, type Client } from '../../client/client.ts';
import type { Transport } from '../../schemas/api.ts';
import { isReason } from '../../schemas/errors.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { CommandError } from '../command.ts';

export interface CommonSettings {
  readonly clusterCidr: string;
  readonly serviceCidr: string;
}

/** The ConfigMap in which servers of one cluster agree; a cluster whose objects are in a file has none. */
export const serversKey = { namespace: 'kube-system', name: 'barge-servers' } as const;

const flags = { clusterCidr: '--cluster-cidr', serviceCidr: '--service-cidr' } as const;

/** For a store, `URL under /prefix`, of which this data folder has not the keys. */
export const foreignCluster = (where: string, cause?: unknown): CommandError =>
  new CommandError(`${where} holds the objects of a cluster whose keys are not in this data folder: join them ('barge token create --role server' on a server of that cluster prints the line), or choose another --etcd-prefix`, { cause });

/**
 * Throws a CommandError when the objects are those of a cluster with other keys, or other networks. `accountKey` is the
 * private key of service account tokens: who has it has the folder of the cluster's keys.
 */
export const assertSameCluster = async (transport: Transport, { accountKey, where, settings }: { readonly accountKey: string; readonly where: string; readonly settings: CommonSettings }): Promise<void> => {
  const accountPublicKey = createPublicKey(accountKey).export({ type: 'spki', format: 'pem' }).toString();
  const configMaps = createClient(transport).of(ConfigMap);
  const found = await configMaps.create({ metadata: { ...serversKey }, data: { accountPublicKey, ...settings } }).catch((error: unknown) => {
    if (!isReason(error, 'AlreadyExists')) throw error;
    return configMaps.get(serversKey);
  });
  if (found.data?.['accountPublicKey'] !== accountPublicKey) {
    throw foreignCluster(where);
  }
  for (const name of ['clusterCidr', 'serviceCidr'] as const) {
    if (found.data[name] !== settings[name]) throw new CommandError(`${flags[name]}: the other servers of the cluster have ${found.data[name]}; this one has ${settings[name]}`);
  }
};

/** How a cluster comes to have several servers, for who wants a further one in a cluster that cannot. */
export const onlyServer = "the objects of this cluster are in a file of its only server, which no other can share: a cluster of several servers begins with 'barge up --etcd-servers URL,...' on the first";

/** True for a cluster whose objects are in an etcd, so that any number of servers may have its keys. */
export const hasManyServers = async (client: Client): Promise<boolean> => await client.of(ConfigMap).find(serversKey) !== undefined;
