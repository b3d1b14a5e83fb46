/** Endpoints: the older form of EndpointSlices, one object a Service, for clients that know no other. */
import { deepEqual } from '../../schemas/frozen.ts';
import type { EndpointAddress, Endpoints, EndpointSubset } from '../../schemas/kinds/core/endpoints.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import { addressTypesOf, backendsOf, handedOnLabels, isManaged, targetReference, type Backend, type PodPort } from '../service-pods.ts';

/** Addresses in one object; ready ones have precedence. Kubernetes' limit. */
export const maxAddresses = 1000;
export const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
export const managedByLabel = 'endpoints.kubernetes.io/managed-by';
export const managedBy = 'endpoint-controller';

/** What the object shall be; undefined: leave alone whatever there is. */
export interface EndpointsWanted {
  readonly labels: Readonly<Record<string, string>>;
  readonly subsets: readonly EndpointSubset[];
  readonly isTruncated: boolean;
}

const addressOf = ({ ip, pod, hostname }: Backend): EndpointAddress => ({
  ip, ...(hostname === undefined ? {} : { hostname }), ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}), targetRef: targetReference(pod),
});

const portText = (ports: readonly PodPort[]): string => JSON.stringify(ports.map(({ name, port, protocol, appProtocol }) => [name, port, protocol, appProtocol ?? null]));

export const planEndpoints = (service: Service, pods: readonly Pod[]): EndpointsWanted | undefined => {
  if (!isManaged(service)) return undefined;
  const everyone = service.spec?.publishNotReadyAddresses === true;
  const needsPorts = (service.spec?.ports ?? []).length > 0;
  const backends = backendsOf(service, pods, addressTypesOf(service)[0]!)
    .filter(({ ports, terminating }) => (everyone || !terminating) && (ports.length > 0 || !needsPorts));
  const shown = backends.toSorted((a, b) => Number(b.ready) - Number(a.ready)).slice(0, maxAddresses);
  const subsets = new Map<string, { readonly ports: readonly PodPort[]; readonly backends: Backend[] }>();
  for (const backend of shown) {
    const text = portText(backend.ports);
    const subset = subsets.get(text) ?? { ports: backend.ports, backends: [] };
    subsets.set(text, subset);
    subset.backends.push(backend);
  }
  return {
    labels: { ...handedOnLabels(service), [managedByLabel]: managedBy },
    subsets: [...subsets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subsetOf(subset.ports, subset.backends)),
    isTruncated: backends.length > maxAddresses,
  };
};

const subsetOf = (ports: readonly PodPort[], backends: readonly Backend[]): EndpointSubset => {
  const addresses = backends.filter(({ ready }) => ready).map(addressOf);
  const notReadyAddresses = backends.filter(({ ready }) => !ready).map(addressOf);
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports: ports.map(({ name, ...port }) => ({ ...(name === '' ? {} : { name }), ...port })) }),
  };
};

/** Whether a stored object already says what is wanted. */
export const saysAlready = (endpoints: Endpoints, { labels, subsets, isTruncated }: EndpointsWanted): boolean =>
  deepEqual(endpoints.subsets ?? [], subsets) && deepEqual(endpoints.metadata.labels ?? {}, labels)
  && (endpoints.metadata.annotations?.[overCapacityAnnotation] === 'truncated') === isTruncated;
