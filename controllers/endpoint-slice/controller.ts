import type { Controller } from '../../client/controller.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { serviceNameLabel, servicesOf } from '../service-pods.ts';
import { selectsAll } from '../service-selector.ts';
import { carryOut } from './carry-out.ts';
import { managedBy, managedByLabel, planEndpointSlices } from './plan.ts';

const serviceOf = (slice: EndpointSlice): string | undefined =>
  (slice.metadata.labels?.[managedByLabel] === managedBy ? slice.metadata.labels[serviceNameLabel] : undefined);

const byService = (slice: EndpointSlice): readonly string[] => {
  const name = serviceOf(slice);
  return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`];
};

export const endpointSliceController = (): Controller<Service> => ({
  name: 'endpointslice-controller',
  reconciles: Service,
  reads: [Node],
  watches: [
    { kind: Pod, map: servicesOf },
    {
      kind: EndpointSlice, indexes: { service: byService },
      map: (slice: EndpointSlice) => {
        const name = serviceOf(slice);
        return name === undefined ? [] : [{ namespace: slice.metadata.namespace, name }];
      },
    },
  ],
  reconcile: async (service, key, context) => {
    const slices = context.informer(EndpointSlice).by('service', `${key.namespace}/${key.name}`);
    const steps = service === undefined ? slices.map((slice) => ({ do: 'delete', slice } as const)) : planEndpointSlices({
      service, slices, zoneOf: (name) => context.informer(Node).get({ name })?.metadata.labels?.['topology.kubernetes.io/zone'],
      pods: context.informer(Pod).list(key.namespace).filter((pod) => selectsAll(service, pod)),
    });
    for (const step of steps) await carryOut(step, context);
  },
});
