/**
 * EndpointSlices of one Service: desired endpoints are put into the slices that are there, with as few writes as can be.
 * An endpoint stays in its slice; what is new fills slices that are written anyway, then one with room, then new ones.
 */
import type { NewObject } from '../../client/client.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { controllerReference } from '../../schemas/owners.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import {
  addressTypesOf, backendsOf, handedOnLabels, isManaged, serviceNameLabel, targetReference, type AddressType, type Backend, type PodPort,
} from '../service-pods.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedBy = 'endpointslice-controller.k8s.io';

/** Endpoints in one slice. More make fewer objects, fewer make smaller events; Kubernetes' default. */
export const maxEndpoints = 100;

export interface EndpointSliceState {
  readonly service: Service;
  /** Pods that the Service selects. */
  readonly pods: readonly Pod[];
  /** The slices of the Service that this controller manages. */
  readonly slices: readonly EndpointSlice[];
  readonly zoneOf: (nodeName: string) => string | undefined;
}

export type EndpointSliceStep =
  | { readonly do: 'create'; readonly slice: NewObject<EndpointSlice> }
  | { readonly do: 'update'; readonly slice: EndpointSlice }
  | { readonly do: 'delete'; readonly slice: EndpointSlice };

const endpointOf = (backend: Backend, zoneOf: EndpointSliceState['zoneOf']): Endpoint => {
  const nodeName = backend.pod.spec?.nodeName;
  const zone = nodeName ? zoneOf(nodeName) : undefined;
  return {
    addresses: [backend.ip],
    conditions: { ready: backend.ready, serving: backend.serving, terminating: backend.terminating },
    ...(backend.hostname === undefined ? {} : { hostname: backend.hostname }),
    ...(nodeName ? { nodeName } : {}),
    targetRef: targetReference(backend.pod),
    ...(zone === undefined ? {} : { zone }),
  };
};

const slicePort = ({ name, port, protocol, appProtocol }: PodPort): EndpointPort => ({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });

/** What makes two endpoints fit into one slice. */
const groupText = (type: string, ports: readonly EndpointPort[]): string =>
  JSON.stringify([type, ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => [name, port ?? null, protocol, appProtocol ?? null])]);

/** Who an endpoint is, whatever its conditions. */
const identity = ({ addresses, targetRef }: Endpoint): string => `${targetRef?.uid ?? ''}/${addresses.join(',')}`;

/** Endpoints that fit into one slice, each by who it is. */
export interface Group {
  readonly type: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly wanted: Map<string, Endpoint>;
}

/** What all slices of one maker have in common. */
export interface SliceHead {
  readonly labels: Readonly<Record<string, string>>;
  readonly generateName: string;
  readonly namespace: string | undefined;
  readonly owner: OwnerReference;
}

/** Groups by what makes endpoints fit into one slice; a group is made when it is first asked for. */
export class Groups {
  readonly byText = new Map<string, Group>();

  of(type: AddressType, ports: readonly EndpointPort[]): Group {
    const text = groupText(type, ports);
    let group = this.byText.get(text);
    if (group === undefined) this.byText.set(text, group = { type, ports, wanted: new Map() });
    return group;
  }

  put(type: AddressType, ports: readonly EndpointPort[], endpoint: Endpoint): void {
    this.of(type, ports).wanted.set(identity(endpoint), endpoint);
  }
}

export const planEndpointSlices = (state: EndpointSliceState): readonly EndpointSliceStep[] => {
  const { service, slices } = state;
  if (!isManaged(service)) return [];
  const { name = '', namespace } = service.metadata;
  return planSlices(groupsOf(state), slices, { labels: sliceLabels(service), generateName: `${name}-`, namespace, owner: controllerReference(service, Service) });
};

/** From the slices that are there to those that hold the groups. */
export const planSlices = ({ byText }: Groups, slices: readonly EndpointSlice[], head: SliceHead): readonly EndpointSliceStep[] => {
  const steps: EndpointSliceStep[] = [];
  const kept = new Set<EndpointSlice>();
  for (const [text, group] of byText) {
    const own = slices.filter((slice) => groupText(slice.addressType, slice.ports ?? []) === text);
    for (const slice of own) kept.add(slice);
    steps.push(...planGroup(head, group, own));
  }
  for (const slice of slices) if (!kept.has(slice)) steps.push({ do: 'delete', slice });
  // What appears before what goes: an endpoint that moves between slices is never absent from all.
  const order = { create: 0, update: 1, delete: 2 } as const;
  return steps.sort((a, b) => order[a.do] - order[b.do]);
};

/** Endpoints by address type and ports. A type without any has one empty group, so that clients find a slice at all. */
const groupsOf = ({ service, pods, slices, zoneOf }: EndpointSliceState): Groups => {
  const groups = new Groups();
  for (const type of addressTypesOf(service)) {
    const backends = backendsOf(service, pods, type);
    if (backends.length === 0) groups.of(type, slices.find((slice) => slice.addressType === type)?.ports ?? []);
    for (const backend of backends) groups.put(type, backend.ports.map(slicePort), endpointOf(backend, zoneOf));
  }
  return groups;
};

interface Filled {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  readonly isChanged: boolean;
}

const planGroup = (head: SliceHead, { type, ports, wanted }: Group, slices: readonly EndpointSlice[]): readonly EndpointSliceStep[] => {
  const missing = new Map(wanted);
  const { labels } = head;
  const filled = slices.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)).map((slice): Filled => {
    const endpoints: Endpoint[] = [];
    for (const old of slice.endpoints ?? []) {
      const endpoint = missing.get(identity(old));
      if (endpoint === undefined || endpoints.length >= maxEndpoints) continue;
      missing.delete(identity(old));
      endpoints.push(endpoint);
    }
    return { slice, endpoints, isChanged: !deepEqual(endpoints, slice.endpoints ?? []) || !deepEqual(labels, slice.metadata.labels) };
  });
  const rest = [...missing.values()];
  const fill = (into: Endpoint[]): void => void into.push(...rest.splice(0, maxEndpoints - into.length));
  for (const one of filled) if (one.isChanged && one.endpoints.length > 0) fill(one.endpoints);
  // One slice with room for all that is left, the fullest, rather than several writes.
  const roomy = rest.length === 0 ? undefined : filled.filter(({ endpoints }) => endpoints.length + (rest.length % maxEndpoints) <= maxEndpoints)
    .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
  if (roomy !== undefined && rest.length % maxEndpoints !== 0) roomy.endpoints.push(...rest.splice(0, rest.length % maxEndpoints));
  const steps: EndpointSliceStep[] = [];
  while (rest.length > 0) steps.push({ do: 'create', slice: newSlice(head, type, ports, rest.splice(0, maxEndpoints)) });
  const isUsed = wanted.size > 0;
  for (const [index, { slice, endpoints, isChanged }] of filled.entries()) {
    if (endpoints.length === 0 && (isUsed || index > 0)) steps.push({ do: 'delete', slice });
    else if (isChanged || endpoints.length !== (slice.endpoints?.length ?? 0)) steps.push({ do: 'update', slice: { ...slice, metadata: { ...slice.metadata, labels }, endpoints } });
  }
  if (!isUsed && filled.length === 0) steps.push({ do: 'create', slice: newSlice(head, type, ports, []) });
  return steps;
};

const sliceLabels = (service: Service): Readonly<Record<string, string>> => ({
  ...handedOnLabels(service), [serviceNameLabel]: service.metadata.name ?? '', [managedByLabel]: managedBy,
});

const newSlice = ({ labels, generateName, namespace, owner }: SliceHead, type: AddressType, ports: readonly EndpointPort[], endpoints: readonly Endpoint[]): NewObject<EndpointSlice> => ({
  metadata: { generateName, namespace, labels, ownerReferences: [owner] },
  addressType: type, endpoints, ports,
});
