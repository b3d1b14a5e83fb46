import type { Controller } from '../../client/controller.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { ensure } from '../ensure.ts';

const accountName = 'default';

/** Gives each namespace the ServiceAccount that pods use when they name none. */
export const serviceAccountController = (): Controller<Namespace> => ({
  name: 'service-account-controller',
  reconciles: Namespace,
  watches: [{ kind: ServiceAccount, map: ({ metadata }: ServiceAccount) => (metadata.name === accountName ? [{ name: metadata.namespace ?? '' }] : []) }],
  reconcile: async (namespace, { name }, context) => {
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return;
    if (context.informer(ServiceAccount).get({ namespace: name, name: accountName }) !== undefined) return;
    await ensure(context.client.of(ServiceAccount).create({ metadata: { name: accountName, namespace: name } }));
  },
});
