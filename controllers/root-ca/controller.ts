import type { Controller } from '../../client/controller.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { ensure } from '../ensure.ts';
import { isClusterInfo, publishedAuthorities } from './published.ts';

const mapName = 'kube-root-ca.crt';

/** Puts the certificate authorities of the API server into each namespace, where pods find them, and keeps them there as the cluster names them. */
export const rootCaController = (rootCa: string): Controller<Namespace> => ({
  name: 'root-ca-controller',
  reconciles: Namespace,
  watches: [{
    kind: ConfigMap,
    map: ({ metadata }: ConfigMap, context) => {
      if (isClusterInfo(metadata)) return context.informer(Namespace).list().map(({ metadata: { name = '' } }) => ({ name }));
      return metadata.name === mapName ? [{ name: metadata.namespace ?? '' }] : [];
    },
  }],
  reconcile: async (namespace, { name }, context) => {
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return;
    const key = { namespace: name, name: mapName };
    const there = context.informer(ConfigMap).get(key);
    const authorities = publishedAuthorities(context) ?? rootCa;
    const data = { 'ca.crt': authorities };
    if (there === undefined) {
      const annotations = { 'kubernetes.io/description': 'The certificate authority of the API server, for the pods of this namespace.' };
      await ensure(context.client.of(ConfigMap).create({ metadata: { ...key, annotations }, data }));
    } else if (there.data?.['ca.crt'] !== authorities || Object.keys(there.data).length !== 1) {
      await context.client.of(ConfigMap).modify(key, (draft) => {
        draft.data = { ...data };
      }, { hint: there });
    }
  },
});
