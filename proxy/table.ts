import { deepEqual } from '../schemas/frozen.ts';
import type { EndpointSlice, Endpoint as SliceEndpoint } from '../schemas/kinds/discovery/endpoint-slice.ts';
import type { Service, ServicePort as PortSpec } from '../schemas/kinds/core/service.ts';
import type { Endpoint, Protocol, ServicePort, ServiceTable } from './backend.ts';
import { clusterIps } from './cluster-ips.ts';
import { publicAddresses, servicePortName, type ExternalIps, type PublicAddresses } from './public-addresses.ts';

/** Labels of services that are another proxy's, or nobody's. */
const foreignLabels: readonly string[] = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'];

/** The label that says whose endpoints a slice holds. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export interface TableInput {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  /** The node whose proxy this is, for services that want endpoints of their own node only. */
  readonly nodeName: string;
  readonly externalIps: ExternalIps;
}

/** Seconds of affinity where the service names none, as Kubernetes has it. */
const defaultAffinitySeconds = 10_800;

interface Candidate extends Endpoint {
  readonly ready: boolean;
  /** Still answers although it is going away. */
  readonly lasting: boolean;
  readonly local: boolean;
}

/**
 * What the proxies of a node must do, from the services and endpoint slices of the cluster. Headless and ExternalName
 * services have no address and no entry, nor has one that is left to another proxy. Pure; the result is sorted, so that equal input gives equal tables.
 */
export const serviceTable = ({ services, slices, nodeName, externalIps }: TableInput): ServiceTable => {
  const slicesOf = slicesByService(slices);
  const table = new Map<string, ServicePort>();
  const sorted = services.filter((service) => isOurs(service) && hasAddress(service)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const publicOf = publicAddresses(sorted, externalIps);
  for (const service of sorted) {
    for (const port of service.spec?.ports ?? []) {
      const candidates = candidatesOf(service, port, slicesOf.get(nameOf(service)) ?? [], nodeName);
      for (const entry of entriesOf({ service, port, candidates, open: publicOf(service, port) })) table.set(entry.name, entry);
    }
  }
  return table;
};

/**
 * Addresses that take connections and are not about to go away. A pod that ends is not among them even where it still
 * serves as the last resort of a service: nobody needs to wait for a replacement that does not exist.
 */
export const steadyAddresses = (slices: readonly EndpointSlice[]): ReadonlySet<string> => new Set(slices.flatMap((slice) =>
  (slice.endpoints ?? []).flatMap(({ addresses, conditions }) => ((conditions?.ready ?? true) && conditions?.terminating !== true ? addresses : []))));

/** Slices of IPv4 by the `namespace/name` of their service. */
export const slicesByService = (slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly EndpointSlice[]> =>
  Map.groupBy(slices.filter((slice) => slice.addressType === 'IPv4'), (slice) => `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel]}`);

const nameOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;

/** False for services that a label leaves to another proxy, or says to need none. */
export const isOurs = ({ metadata: { labels = {} } }: Service): boolean => !foreignLabels.some((label) => label in labels);

const hasAddress = (service: Service): boolean => service.spec?.type !== 'ExternalName' && clusterIps(service).length > 0;

interface PortState {
  readonly service: Service;
  readonly port: PortSpec;
  readonly candidates: readonly Candidate[];
  readonly open: PublicAddresses;
}

/**
 * One entry for each list of endpoints: the policies may send those who ask at the cluster's address, those who ask at a
 * public one or a node port from inside (always all endpoints, as in Kubernetes) and those who ask from outside to different ones.
 */
const entriesOf = ({ service, port, candidates, open }: PortState): readonly ServicePort[] => {
  const { spec } = service;
  const by = (policy: 'Cluster' | 'Local' | undefined): readonly Endpoint[] => usable(policy === 'Local' ? candidates.filter(({ local }) => local) : candidates);
  const { nodePort = 0 } = port;
  const common = {
    protocol: (port.protocol ?? 'TCP') as Protocol,
    port: port.port,
    affinitySeconds: spec?.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) : 0,
    clusterIps: [], insideIps: [], outsideIps: [], guard: undefined, insideNodePort: 0, nodePort: 0,
  };
  const name = servicePortName(service, port);
  const isOpen = open.ips.length > 0 || nodePort !== 0;
  const sides: readonly ServicePort[] = [
    { ...common, name, clusterIps: clusterIps(service), endpoints: by(spec?.internalTrafficPolicy) },
    ...(isOpen ? [{ ...common, name: `${name}#inside`, insideIps: open.ips, insideNodePort: nodePort, endpoints: by('Cluster') }] : []),
    ...(isOpen ? [{ ...common, name: `${name}#outside`, outsideIps: open.ips, guard: open.guard, nodePort, endpoints: by(spec?.externalTrafficPolicy) }] : []),
  ];
  return sides.reduce<readonly ServicePort[]>((entries, side) => {
    const same = entries.find(({ endpoints }) => sameEndpoints(endpoints, side.endpoints));
    return same === undefined ? [...entries, side] : entries.map((entry) => (entry === same ? joined(entry, side) : entry));
  }, []);
};

const joined = (entry: ServicePort, side: ServicePort): ServicePort => ({
  ...entry,
  insideIps: [...entry.insideIps, ...side.insideIps], outsideIps: [...entry.outsideIps, ...side.outsideIps],
  guard: side.guard ?? entry.guard, insideNodePort: side.insideNodePort || entry.insideNodePort, nodePort: side.nodePort || entry.nodePort,
});

/** Slices carry ports already resolved for each pod; those of this service port have its name and protocol. */
const candidatesOf = (service: Service, port: PortSpec, slices: readonly EndpointSlice[], nodeName: string): readonly Candidate[] =>
  slices.flatMap((slice) => {
    const target = slice.ports?.find((one) => (one.name ?? '') === (port.name ?? '') && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
    if (target?.port === undefined) return [];
    const number = target.port;
    return (slice.endpoints ?? []).flatMap((endpoint) => {
      const ip = endpoint.addresses[0];
      return ip === undefined ? [] : [{ ip, port: number, ...stateOf(endpoint, service), local: endpoint.nodeName === nodeName }];
    });
  });

const stateOf = ({ conditions }: SliceEndpoint, service: Service): { readonly ready: boolean; readonly lasting: boolean } => {
  const ready = service.spec?.publishNotReadyAddresses === true || (conditions?.ready ?? true);
  return { ready, lasting: (conditions?.serving ?? ready) && conditions?.terminating === true };
};

/** The ready ones; when there are none, those that end but still answer. By address, each once. */
const usable = (candidates: readonly Candidate[]): readonly Endpoint[] => {
  const ready = candidates.filter((one) => one.ready);
  const chosen = ready.length > 0 ? ready : candidates.filter((one) => one.lasting);
  const unique = new Map(chosen.map(({ ip, port }) => [`${ip}:${port}`, { ip, port }]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
};

/** True when both lists name the same endpoints in the same order. */
export const sameEndpoints = (a: readonly Endpoint[], b: readonly Endpoint[]): boolean =>
  a.length === b.length && a.every((one, index) => one.ip === b[index]!.ip && one.port === b[index]!.port);

export const isSameTable = (a: ServiceTable, b: ServiceTable): boolean => a.size === b.size && [...a].every(([name, port]) => deepEqual(port, b.get(name)));
