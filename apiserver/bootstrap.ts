/** What every cluster has from its first moment on, and what says where its API server is. */
import type { ApiRequest, Transport } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import type { ObjectMeta } from '../schemas/types/object-meta.ts';
import { firstAddress } from './admission/service-addresses.ts';
import type { Core } from './core.ts';

const server = { name: 'system:apiserver', groups: ['system:masters'] };

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export interface BootstrapOptions {
  /** Where pods and nodes reach the API server; absent: the service default/kubernetes is not made. */
  readonly advertise?: { readonly address: string; readonly port: number } | undefined;
  readonly serviceCidr: string;
}

/**
 * Makes the namespaces that every cluster has and the service default/kubernetes with its endpoints. It is called at each
 * start: what is there stays, and the endpoints are brought up to date with the address.
 */
export const bootstrap = async (core: Core, { advertise, serviceCidr }: BootstrapOptions): Promise<void> => {
  const api = core.as(server);
  for (const name of namespaces) await ensure(api, { group: '', version: 'v1', resource: 'namespaces' }, { metadata: { name } });
  if (advertise === undefined) return;
  const { address, port } = advertise;
  const metadata = { name: 'kubernetes', namespace: 'default' };
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  await ensure(api, { group: '', version: 'v1', resource: 'services', namespace: 'default' }, {
    metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { type: 'ClusterIP', sessionAffinity: 'None', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }] },
  }, { spec: { clusterIP: firstAddress(serviceCidr) } });
  await ensure(api, { group: '', version: 'v1', resource: 'endpoints', namespace: 'default' }, {
    metadata: { ...metadata, labels }, subsets: [{ addresses: [{ ip: address }], ports }],
  });
  await ensure(api, { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices', namespace: 'default' }, {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } }, addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }], ports,
  });
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
