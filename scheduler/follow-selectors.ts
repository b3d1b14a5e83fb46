import type { Informer } from '../client/informer.ts';
import type { Informers } from '../client/informers.ts';
import { ReplicaSet } from '../schemas/kinds/apps/replica-set.ts';
import { StatefulSet } from '../schemas/kinds/apps/stateful-set.ts';
import { ReplicationController } from '../schemas/kinds/core/replication-controller.ts';
import { Service } from '../schemas/kinds/core/service.ts';
import type { DefaultSelectors, SelectingWorkload } from './default-selectors.ts';

/** Asks for informers of everything that selects pods; the returned function, called once they have synced, tells all they know from then on. */
export const followSelectors = (informers: Informers, selectors: DefaultSelectors): (() => void) => {
  const services = informers.informer(Service);
  const workloads: readonly Pick<Informer<SelectingWorkload>, 'on'>[] = [informers.informer(ReplicationController), informers.informer(ReplicaSet), informers.informer(StatefulSet)];
  return () => {
    services.on({ added: (one) => selectors.setService(one), updated: (one) => selectors.setService(one), deleted: (one) => selectors.removeService(one) });
    for (const informer of workloads) informer.on({ added: (one) => selectors.setWorkload(one), updated: (one) => selectors.setWorkload(one), deleted: (one) => selectors.removeWorkload(one) });
  };
};
