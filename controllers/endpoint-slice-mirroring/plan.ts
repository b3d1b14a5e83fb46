/**
 * Endpoints that somebody wrote by hand for a Service without a selector, as the EndpointSlices that proxies and DNS read.
 */
import { isIPv6 } from 'node:net';
import { controllerReference } from '../../schemas/owners.ts';
import { Endpoints, type EndpointAddress } from '../../schemas/kinds/core/endpoints.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import type { Endpoint, EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { managedBy as madeByController, managedByLabel as endpointsManagedByLabel } from '../endpoints/plan.ts';
import { Groups, managedByLabel, planSlices, type EndpointSliceStep } from '../endpoint-slice/plan.ts';
import { serviceNameLabel } from '../service-pods.ts';

export const managedBy = 'endpointslicemirroring-controller.k8s.io';

/** Whoever writes slices himself says so on his Endpoints. */
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
/** Old leader elections lived in Endpoints, which change every few seconds and hold no addresses. */
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';

/** Addresses of one subset that are mirrored, ready ones first. Kubernetes' limit. */
export const maxAddresses = 1000;

export interface MirrorState {
  readonly service: Service | undefined;
  readonly endpoints: Endpoints | undefined;
  /** The slices of this name that this controller manages. */
  readonly slices: readonly EndpointSlice[];
}

const isMirrored = ({ metadata: { labels = {}, annotations = {} } }: Endpoints, service: Service | undefined): boolean =>
  service !== undefined && Object.keys(service.spec?.selector ?? {}).length === 0
  && labels[skipLabel] !== 'true' && labels[endpointsManagedByLabel] !== madeByController && annotations[leaderAnnotation] === undefined;

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip], conditions: { ready },
  ...(hostname ? { hostname } : {}), ...(nodeName ? { nodeName } : {}), ...(targetRef === undefined ? {} : { targetRef }),
});

export const planMirror = ({ service, endpoints, slices }: MirrorState): readonly EndpointSliceStep[] => {
  if (endpoints === undefined || !isMirrored(endpoints, service)) return slices.map((slice) => ({ do: 'delete', slice }));
  const groups = new Groups();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }));
    const all = [...addresses.map((one) => endpointOf(one, true)), ...notReadyAddresses.map((one) => endpointOf(one, false))];
    for (const endpoint of all.slice(0, maxAddresses)) groups.put(isIPv6(endpoint.addresses[0]!) ? 'IPv6' : 'IPv4', slicePorts, endpoint);
  }
  const { name = '', namespace, labels } = endpoints.metadata;
  return planSlices(groups, slices, {
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: managedBy }, generateName: `${name}-`, namespace, owner: controllerReference(endpoints, Endpoints),
  });
};
