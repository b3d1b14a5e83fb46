import type { Controller } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { draftOf, type Draft } from '../../schemas/frozen.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { unlessGone } from '../ensure.ts';
import { namespaceEnds } from '../refusals.ts';
import { servicesOf } from '../service-pods.ts';
import { selectsAll } from '../service-selector.ts';
import { managedBy, managedByLabel, overCapacityAnnotation, planEndpoints, saysAlready, type EndpointsWanted } from './plan.ts';

const isOurs = (endpoints: Endpoints): boolean => endpoints.metadata.labels?.[managedByLabel] === managedBy;

export const endpointsController = (): Controller<Service> => ({
  name: 'endpoints-controller',
  reconciles: Service,
  watches: [
    { kind: Pod, map: servicesOf },
    // Endpoints that someone made without a Service are theirs, not ours to delete.
    { kind: Endpoints, map: (endpoints: Endpoints, context) => (isOurs(endpoints) || context.informer(Service).get(keyOf(endpoints)) !== undefined ? [keyOf(endpoints)] : []) },
  ],
  reconcile: async (service, key, context) => {
    const client = context.client.of(Endpoints);
    const there = context.informer(Endpoints).get(key);
    if (service === undefined) {
      if (there !== undefined) await unlessGone(client.delete(key, { preconditions: { uid: there.metadata.uid } }));
      return;
    }
    const wanted = planEndpoints(service, context.informer(Pod).list(key.namespace).filter((pod) => selectsAll(service, pod)));
    if (wanted === undefined || (there !== undefined && saysAlready(there, wanted))) return;
    if (there !== undefined) {
      await client.modify(key, (draft) => say(draft, wanted), { hint: there });
      return;
    }
    const annotations = wanted.isTruncated ? { annotations: { [overCapacityAnnotation]: 'truncated' } } : {};
    try {
      await client.create({ metadata: { name: key.name, namespace: key.namespace, labels: wanted.labels, ...annotations }, ...(wanted.subsets.length === 0 ? {} : { subsets: wanted.subsets }) });
    } catch (error) {
      if (!namespaceEnds(error)) throw error;
    }
  },
});

const say = (draft: Draft<Endpoints>, { labels, subsets, isTruncated }: EndpointsWanted): void => {
  draft.metadata.labels = { ...labels };
  if (subsets.length === 0) delete draft.subsets;
  else draft.subsets = draftOf(subsets);
  const { [overCapacityAnnotation]: _, ...annotations } = draft.metadata.annotations ?? {};
  if (isTruncated) draft.metadata.annotations = { ...annotations, [overCapacityAnnotation]: 'truncated' };
  else if (Object.keys(annotations).length > 0) draft.metadata.annotations = annotations;
  else delete draft.metadata.annotations;
};
