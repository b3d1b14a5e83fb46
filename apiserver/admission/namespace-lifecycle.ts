import { ApiError, notFound, qualified } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { namespaceKey } from '../keys.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

/** Namespaces without which the cluster cannot work. */
const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

const nameLabel = 'kubernetes.io/metadata.name';

const isNamespace = ({ kind, apiVersion }: { readonly kind: string; readonly apiVersion: string }): boolean => kind === 'Namespace' && apiVersion === 'v1';

/**
 * Objects are created only in namespaces that exist and stay. The namespace's revision is checked in the same
 * transaction, so that nothing can slip in behind the controller that empties it. Namespaces carry their name as a
 * label and the finalizer that keeps them until they are empty.
 */
export const namespaceLifecycle = (cache: WatchCache): AdmissionPlugin => ({
  name: 'NamespaceLifecycle',
  mutate: (draft, { kind, namespace, name, old, attempt }) => {
    if (isNamespace(draft)) markNamespace(draft, old === undefined);
    if (kind.scope === 'Cluster' || old !== undefined) return;
    const key = namespaceKey(namespace);
    const home = cache.get(key);
    if (home === undefined) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace);
    if (home.metadata.deletionTimestamp !== undefined) {
      throw new ApiError('Forbidden', `${qualified(kind.plural, kind.group)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`, {
        name, group: kind.group || undefined, kind: kind.plural,
        causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
      });
    }
    attempt.require(key, Number(home.metadata.resourceVersion));
  },
  deleting: (object, { name }) => {
    if (isNamespace(object) && immortal.has(name)) {
      throw new ApiError('Forbidden', `namespaces "${name}" is forbidden: this namespace may not be deleted`, { name, kind: 'namespaces' });
    }
  },
});

const markNamespace = (draft: Draft<ApiObject>, isNew: boolean): void => {
  const namespace = draft as Draft<ApiObject> & { spec?: { finalizers?: string[] } };
  namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: namespace.metadata.name ?? '' };
  if (isNew) namespace.spec = { ...namespace.spec, finalizers: [...new Set([...(namespace.spec?.finalizers ?? []), 'kubernetes'])] };
};
