/** What every cluster has from its first moment on, and what says where its API server is. */
import type { ApiList, ApiRequest, Transport } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import type { ObjectMeta } from '../schemas/types/object-meta.ts';
import { systemPriorityClasses } from '../schemas/validation/priority-class.ts';
import { firstAddress } from './admission/service-addresses.ts';
import { apiServerUser } from './api-server-user.ts';
import type { Core } from './core.ts';
import { ensureDefaultStorageClass } from './default-storage-class.ts';

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const kubernetes = { name: 'kubernetes', namespace: 'default' };

/**
 * Makes the namespaces and the priority classes that every cluster has, the storage class with which it begins and, where
 * the range of services is named, the Service default/kubernetes at its first address. It is called at each start, before
 * anybody is served: what is there stays.
 */
export const bootstrap = async (core: Core, { serviceCidr }: { readonly serviceCidr?: string | undefined }): Promise<void> => {
  const api = core.as(apiServerUser);
  await Promise.all([
    ...namespaces.map((name) => ensure(api, { group: '', version: 'v1', resource: 'namespaces' }, { metadata: { name } })),
    ...systemPriorityClasses.map(({ name, ...words }) => ensure(api, { group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' }, { metadata: { name }, ...words })),
  ]);
  await ensureDefaultStorageClass(api);
  if (serviceCidr === undefined) return;
  await ensure(api, { group: '', version: 'v1', resource: 'services', namespace: 'default' }, {
    metadata: { ...kubernetes, labels: { component: 'apiserver', provider: 'kubernetes' } },
    // The endpoints name their port as well: which one it is they alone say.
    spec: { type: 'ClusterIP', sessionAffinity: 'None', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }] },
  }, { spec: { clusterIP: firstAddress(serviceCidr) } });
};

/** Where pods reach a server. */
export interface ServerEndpoint {
  readonly address: string;
  readonly port: number;
}

const sliceAt = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices', namespace: 'default' } as const;
const ofService = { 'kubernetes.io/service-name': 'kubernetes' };

/** Says in the endpoints of default/kubernetes where pods reach the servers; an empty list: nowhere. */
export const advertise = async (core: Core, endpoints: readonly ServerEndpoint[]): Promise<void> => {
  const api = core.as(apiServerUser);
  const byPort = [...Map.groupBy(endpoints, ({ port }) => port)].sort(([a], [b]) => a - b).map(([port, servers]) => ({ ports: [{ name: 'https', port, protocol: 'TCP' }], addresses: servers.map(({ address }) => address).sort() }));
  await ensure(api, { group: '', version: 'v1', resource: 'endpoints', namespace: 'default' }, {
    metadata: { ...kubernetes, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: byPort.map(({ ports, addresses }) => ({ addresses: addresses.map((ip) => ({ ip })), ports })),
  });
  // The ports of a slice are those of all its endpoints.
  const slices = (byPort.length === 0 ? [{ ports: [], addresses: [] }] : byPort).map(({ ports, addresses }, index) => ({
    metadata: { ...kubernetes, name: index === 0 ? 'kubernetes' : `kubernetes-${index + 1}`, labels: ofService }, addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })), ports,
  }));
  for (const slice of slices) await ensure(api, sliceAt, slice);
  const names = new Set(slices.map(({ metadata: { name } }) => name));
  const { items } = (await api.send({ ...sliceAt, verb: 'list', options: { labelSelector: 'kubernetes.io/service-name=kubernetes' } })).body as ApiList;
  for (const { metadata: { name = '' } } of items) if (!names.has(name)) await api.send({ ...sliceAt, verb: 'delete', name }).catch(ignoreNotFound);
};

const ignoreNotFound = (error: unknown): void => {
  if (!isReason(error, 'NotFound')) throw error;
};

type Wanted = Readonly<Record<string, unknown>> & { readonly metadata: ObjectMeta & { readonly name: string } };

/** Creates the object (with what only a new one can be given), or brings what is there in line with it. */
const ensure = async (api: Transport, at: Pick<ApiRequest, 'group' | 'version' | 'resource' | 'namespace'>, wanted: Wanted, { spec = {} }: { readonly spec?: object } = {}): Promise<void> => {
  try {
    await api.send({ ...at, verb: 'create', body: Object.keys(spec).length === 0 ? wanted : { ...wanted, spec: { ...(wanted['spec'] as object), ...spec } } });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    await api.send({ ...at, verb: 'patch', name: wanted.metadata.name, patchType: 'merge', body: wanted });
  }
};
