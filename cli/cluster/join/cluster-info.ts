/** What a machine that joins has to know of its cluster beside the token; published where agents may read it. */
import { certificatesIn } from '../../../base/authorities.ts';
import type { Client } from '../../../client/client.ts';
import { authoritiesKey, clusterInfoAt, externalIPsKey } from '../../../schemas/cluster-info.ts';
import { isReason } from '../../../schemas/errors.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { parseCidr } from '../../cidr.ts';

export interface ClusterInfo {
  /** `https://HOST:PORT` for other machines; undefined where the API server listens on loopback alone. */
  readonly server: string | undefined;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
  /** How packets get to pods of other nodes; the same on all. */
  readonly overlay: 'auto' | 'vxlan';
  /** How long the lease of a node is good. */
  readonly nodeLeaseSeconds: number;
}

/** Writes it as it is now, with the authorities (PEM) that nodes and pods are to trust; called at each start, and when those change. */
export const publishClusterInfo = async (client: Client, { server, nodeLeaseSeconds, externalIps, ...rest }: ClusterInfo & { readonly externalIps: boolean }, authorities: string): Promise<void> => {
  const data = { ...rest, [authoritiesKey]: authorities, nodeLeaseSeconds: String(nodeLeaseSeconds), [externalIPsKey]: String(externalIps), ...(server === undefined ? {} : { server }) };
  try {
    await client.of(ConfigMap).create({ metadata: { ...clusterInfoAt }, data });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    await client.of(ConfigMap).modify(clusterInfoAt, (draft) => {
      draft.data = data;
    });
  }
};

/** Writes the authorities alone. False where the cluster has not said anything of itself yet. */
export const publishAuthorities = async (client: Client, authorities: string): Promise<boolean> => {
  try {
    await client.of(ConfigMap).modify(clusterInfoAt, (draft) => {
      draft.data = { ...draft.data, [authoritiesKey]: authorities };
    });
    return true;
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    return false;
  }
};

/** What the words say, which came from a server or a file. Throws an Error that names what is wrong. */
export const clusterInfoOf = (data: Readonly<Record<string, unknown>>): ClusterInfo => {
  const word = (key: string): string => {
    const value = data[key];
    if (typeof value !== 'string' || value === '') throw new Error(`what the cluster says of itself lacks ${key}`);
    return value;
  };
  const cidr = (key: string): string => {
    if (parseCidr(word(key)) === undefined) throw new Error(`what the cluster says of itself is wrong: ${key} ${JSON.stringify(word(key))} is no network`);
    return word(key);
  };
  const { overlay } = data;
  if (overlay !== 'auto' && overlay !== 'vxlan') throw new Error('what the cluster says of itself is wrong: overlay is neither auto nor vxlan');
  const nodeLeaseSeconds = Number(data['nodeLeaseSeconds']);
  if (!Number.isInteger(nodeLeaseSeconds) || nodeLeaseSeconds < 1) throw new Error('what the cluster says of itself is wrong: nodeLeaseSeconds is no number of seconds');
  return {
    overlay, nodeLeaseSeconds,
    server: data['server'] === undefined ? undefined : word('server'), clusterCidr: cidr('clusterCidr'), serviceCidr: cidr('serviceCidr'), clusterDomain: word('clusterDomain'),
  };
};

export const readClusterInfo = async (client: Client): Promise<ClusterInfo> => clusterInfoOf((await client.of(ConfigMap).get(clusterInfoAt)).data ?? {});

/** The authorities of the cluster, PEM, the one that signs first; undefined where its server is of a barge that does not tell. Throws where they cannot be read. */
export const authoritiesOf = (data: Readonly<Record<string, unknown>>): string | undefined => {
  const pem = data[authoritiesKey];
  if (pem === undefined) return undefined;
  try {
    certificatesIn(String(pem));
  } catch (error) {
    throw new Error(`what the cluster says of itself is wrong: ${authoritiesKey} are no certificates`, { cause: error });
  }
  return String(pem);
};

export const readAuthorities = async (client: Client): Promise<string | undefined> => authoritiesOf((await client.of(ConfigMap).get(clusterInfoAt)).data ?? {});
