/** The Leases that servers of one cluster hold: who looks at them need not know what a server is. */
import type { Client } from '../../client/client.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';

export const serverLeaseNamespace = 'kube-system';
/** Kubernetes' label of the leases of its API servers. */
export const serverLeaseLabel = { 'apiserver.kubernetes.io/identity': 'kube-apiserver' } as const;
export const serverLeaseSelector = Object.entries(serverLeaseLabel).map((pair) => pair.join('=')).join();
const prefix = 'apiserver-';

/** Annotation: hashes of the authorities that a server trusts, the one that has signed all that it shows first. */
export const serverAuthoritiesAnnotation = 'barge.dev/authorities';

/** The lease by which a server says that it is there. */
export const serverLeaseOf = (server: string) => ({ namespace: serverLeaseNamespace, name: `${prefix}${server}` }) as const;
export const serverOf = ({ metadata: { name = '' } }: Lease): string => name.slice(prefix.length);

/** Leases of servers, of which some may have gone without a word in the last 15 s. None where one server has the store for itself. */
export const listServerLeases = async (client: Client): Promise<readonly Lease[]> =>
  (await client.of(Lease).list({ namespace: serverLeaseNamespace, labelSelector: serverLeaseSelector })).items;

/** What a server says in its lease; empty where it has certificates of another authority than the one that signs. */
export const authoritiesOfServer = ({ metadata }: Lease): readonly string[] => (metadata.annotations?.[serverAuthoritiesAnnotation] ?? '').split(',').filter((hash) => hash !== '');
