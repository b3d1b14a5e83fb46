import { ApiError, notFound, qualified } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
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
    if (isNamespace(draft)) markNamespace(draft as NamespaceDraft, old as Namespace | undefined);
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

type NamespaceDraft = Draft<Namespace>;

/** Finalizers of the spec are only changed through /finalize. */
const markNamespace = (draft: NamespaceDraft, old: Namespace | undefined): void => {
  draft.metadata.labels = { ...draft.metadata.labels, [nameLabel]: draft.metadata.name ?? '' };
  const finalizers = old === undefined ? [...new Set([...(draft.spec?.finalizers ?? []), 'kubernetes'])] : [...(old.spec?.finalizers ?? [])];
  if (old === undefined || old.spec !== undefined) draft.spec = { ...draft.spec, finalizers };
};
