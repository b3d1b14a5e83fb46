/** What a pod of a StatefulSet is by its number: its name, its claims, its labels. Names come back, and with them all that hangs on them. */
import type { NewObject } from '../../client/client.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ownerReference } from '../../schemas/owners.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';
import { podOf } from '../pod-control.ts';
import { revisionHashLabel } from '../revisions.ts';

export const podNameLabel = 'statefulset.kubernetes.io/pod-name';
export const podIndexLabel = 'apps.kubernetes.io/pod-index';

export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;

/** The number in the name of one of the set's pods; undefined for another name. */
export const ordinalOf = (set: StatefulSet, pod: Pod): number | undefined => {
  const { name = '' } = pod.metadata;
  const prefix = `${set.metadata.name}-`;
  const digits = name.slice(prefix.length);
  return name.startsWith(prefix) && /^(0|[1-9]\d{0,9})$/.test(digits) ? Number(digits) : undefined;
};

export const firstOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;

export const claimName = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string => `${template.metadata.name}-${podName(set, ordinal)}`;

/** The pod of a number, made of a revision's template. */
export const statefulPod = (set: StatefulSet, { ordinal, template, revision }: { readonly ordinal: number; readonly template: PodTemplateSpec; readonly revision: string }): NewObject<Pod> => {
  const name = podName(set, ordinal);
  const claims = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({ name: claim.metadata.name ?? '', persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) } }));
  const volumes = [...(template.spec.volumes ?? []).filter((volume) => !claims.some((claim) => claim.name === volume.name)), ...claims];
  return podOf({
    metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [podNameLabel]: name, [podIndexLabel]: String(ordinal), [revisionHashLabel]: revision } },
    spec: { ...template.spec, hostname: name, ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}), ...(volumes.length === 0 ? {} : { volumes }) },
  }, { object: set, kind: StatefulSet }, { name });
};

/** The claims of a number, as they are made. */
export const claimsOf = (set: StatefulSet, ordinal: number): readonly NewObject<PersistentVolumeClaim>[] =>
  (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    metadata: {
      name: claimName(set, template, ordinal), namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      ...(template.metadata.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    },
    spec: template.spec,
  }));

/**
 * Who owns a claim, so that garbage collection deletes it at the right time: with the set, with a pod that is surplus, or
 * nobody. Other owners stay.
 */
export const claimOwners = (set: StatefulSet, claim: PersistentVolumeClaim, surplusPod: Pod | undefined): readonly OwnerReference[] => {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const others = (claim.metadata.ownerReferences ?? []).filter(({ kind, name, uid }) => uid !== set.metadata.uid && !(kind === 'Pod' && name.startsWith(`${set.metadata.name}-`)));
  if (surplusPod !== undefined && whenScaled === 'Delete') return [...others, ownerReference(surplusPod, Pod)];
  return whenDeleted === 'Delete' ? [...others, ownerReference(set, StatefulSet)] : others;
};
