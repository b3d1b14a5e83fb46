import { ApiError } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { apiReferences, isMirror } from '../../schemas/static-pods.ts';
import { generatedName } from '../verbs/identity.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

type PodDraft = Draft<Pod>;

/** Every namespace gets this account from a controller: a pod may come first, and waits on its node. */
const defaultAccount = 'default';

const volumePrefix = 'kube-api-access-';
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour, and seven seconds by which Kubernetes' tools know that nobody asked for this volume. */
const tokenSeconds = 3_607;

export interface ServiceAccountOptions {
  readonly cache: Pick<WatchCache, 'get'>;
  readonly random: () => number;
  /** False where the server makes no tokens: pods then get no volume that nobody could fill. */
  readonly tokens: boolean;
}

/** Gives each new pod its service account, what the account has for its pods, and a volume with a token of it. */
export const serviceAccount = ({ cache, random, tokens }: ServiceAccountOptions): AdmissionPlugin => {
  // The name has to be new in its pod only. One for all pods lets those of one template have one spec (shared-parts.ts).
  const usualName = generatedName(volumePrefix, random);
  return {
    name: 'ServiceAccount',
    mutate: (draft, { old, namespace, name }) => {
      if (draft.kind !== 'Pod' || draft.apiVersion !== 'v1' || old !== undefined) return;
      // The pod is not made of it, and what it shows has no account.
      if (isMirror(draft)) return;
      const { spec } = draft as unknown as PodDraft;
      const wanted = spec.serviceAccountName || spec.serviceAccount || defaultAccount;
      spec.serviceAccountName = wanted;
      spec.serviceAccount = wanted;
      const account = cache.get(`/serviceaccounts/${namespace}/${wanted}`) as ServiceAccount | undefined;
      if (account === undefined && tokens && wanted !== defaultAccount) {
        throw new ApiError('Forbidden', `pods ${JSON.stringify(name)} is forbidden: error looking up service account ${namespace}/${wanted}: serviceaccount ${JSON.stringify(wanted)} not found`, { name, kind: 'pods' });
      }
      const secrets = account?.imagePullSecrets ?? [];
      if ((spec.imagePullSecrets ?? []).length === 0 && secrets.length > 0) spec.imagePullSecrets = secrets.map((secret) => ({ ...secret }));
      if (tokens && (spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true)) mountToken(spec, usualName, random);
    },
    admit: (object, { kind, name, old }) => {
      if (kind.group !== '' || kind.plural !== 'pods' || old !== undefined || !isMirror(object)) return;
      const reference = apiReferences((object as Pod).spec).find(({ what }) => what === 'service accounts' || what === 'secrets');
      if (reference !== undefined) throw new ApiError('Forbidden', `pods ${JSON.stringify(name)} is forbidden: a mirror pod may not reference ${reference.what} (${reference.field})`, { name, kind: 'pods' });
    },
  };
};

type SpecDraft = PodDraft['spec'];

/** Mounts the token wherever nothing is mounted in its place. The spec has not been checked: what it must have may be missing. */
const mountToken = (spec: SpecDraft, usualName: string, random: () => number): void => {
  const without = [...(spec.initContainers ?? []), ...((spec as Partial<SpecDraft>).containers ?? [])].filter((container) => !(container.volumeMounts ?? []).some((mount) => mount.mountPath === mountPath));
  if (without.length === 0) return;
  const there = (spec.volumes ?? []).find(({ name: known, projected }: { readonly name?: string; readonly projected?: unknown }) => known?.startsWith(volumePrefix) === true && projected !== undefined);
  const taken = new Set((spec.volumes ?? []).map((volume) => volume.name));
  let name = there?.name ?? usualName;
  if (there === undefined) while (taken.has(name)) name = generatedName(volumePrefix, random);
  for (const container of without) container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
  if (there === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
};

const tokenVolume = (name: string): NonNullable<SpecDraft['volumes']>[number] => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  },
});
