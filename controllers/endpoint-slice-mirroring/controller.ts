import type { Controller } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { carryOut } from '../endpoint-slice/carry-out.ts';
import { managedByLabel } from '../endpoint-slice/plan.ts';
import { serviceNameLabel } from '../service-pods.ts';
import { managedBy, planMirror } from './plan.ts';

const serviceOf = ({ metadata: { labels = {} } }: EndpointSlice): string | undefined => (labels[managedByLabel] === managedBy ? labels[serviceNameLabel] : undefined);

export const endpointSliceMirroringController = (): Controller<Endpoints> => ({
  name: 'endpointslicemirroring-controller',
  reconciles: Endpoints,
  watches: [
    { kind: Service, map: (service: Service) => [keyOf(service)] },
    {
      kind: EndpointSlice,
      indexes: { mirrored: (slice: EndpointSlice) => {
        const name = serviceOf(slice);
        return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`];
      } },
      map: (slice: EndpointSlice) => {
        const name = serviceOf(slice);
        return name === undefined ? [] : [{ namespace: slice.metadata.namespace, name }];
      },
    },
  ],
  reconcile: async (endpoints, key, context) => {
    const slices = context.informer(EndpointSlice).by('mirrored', `${key.namespace}/${key.name}`);
    for (const step of planMirror({ service: context.informer(Service).get(key), endpoints, slices })) await carryOut(step, context);
  },
});
