/** Where the volume of a claim is on this node, or why it cannot be mounted; worked out without touching a disk. */
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { NodeIdentity } from '../../schemas/node-selector.ts';
import type { HostPathVolumeSource } from '../../schemas/types/volume.ts';
import { isReachedFrom } from '../../schemas/volumes/match-volume.ts';
import { whyNotOfPod, type PodClaim } from '../../schemas/volumes/pod-claims.ts';
import { localPathProvisioner, provisionedBy } from '../../schemas/volumes/volume-words.ts';
import { ConfigError, unsupported } from '../config-error.ts';

export interface ClaimView {
  readonly pod: Pod;
  readonly podClaim: PodClaim;
  readonly claim: PersistentVolumeClaim | undefined;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
  readonly node: NodeIdentity;
}

export type ClaimMount =
  /** A folder that this agent makes and keeps. */
  | { readonly from: 'own'; readonly path: string }
  /** A folder that somebody made on this node. */
  | { readonly from: 'local'; readonly path: string }
  | { readonly from: 'hostPath'; readonly source: HostPathVolumeSource };

/** Members of a volume's spec that are no sources. */
const noSources: ReadonlySet<string> = new Set([
  'accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity', 'persistentVolumeReclaimPolicy', 'storageClassName', 'volumeAttributesClassName', 'volumeMode',
]);

/** Throws ConfigError with the reason, which may pass: a claim that is not there or not bound yet. */
export const planClaimMount = ({ pod, podClaim: { claimName, isEphemeral }, claim, volume, node }: ClaimView): ClaimMount => {
  const { namespace } = pod.metadata;
  const because = (why: string): ConfigError => new ConfigError(`error processing PVC ${namespace}/${claimName}: ${why}`);
  if (claim === undefined) throw because(`persistentvolumeclaim "${claimName}" not found`);
  const strange = isEphemeral ? whyNotOfPod(claim, pod) : undefined;
  if (strange !== undefined) throw because(strange);
  if (claim.metadata.deletionTimestamp !== undefined) throw because("can't start pod because PVC is being deleted");
  if (claim.status?.phase !== 'Bound' || (claim.spec.volumeName ?? '') === '') throw because('PVC is not bound');
  if (volume === undefined) throw because(`persistentvolume "${claim.spec.volumeName}" not found`);
  const { metadata: { name, annotations = {} }, spec } = volume;
  if (spec.claimRef?.uid !== claim.metadata.uid) throw because(`persistentvolume "${name}" is not bound to this claim`);
  if (spec.volumeMode === 'Block') throw unsupported(`volume "${name}": volumeMode Block`);
  if ((spec.mountOptions ?? []).length > 0) throw unsupported(`volume "${name}": mountOptions`);
  if (!isReachedFrom(volume, node)) throw new ConfigError(`MountVolume.NodeAffinity check failed for volume "${name}": no matching NodeSelectorTerms`);
  if (spec.local !== undefined) return { from: annotations[provisionedBy] === localPathProvisioner ? 'own' : 'local', path: spec.local.path };
  if (spec.hostPath !== undefined) return { from: 'hostPath', source: spec.hostPath };
  throw unsupported(`volume "${name}" of kind ${Object.entries(spec).flatMap(([member, value]) => (value === undefined || noSources.has(member) ? [] : member)).join(', ')}`);
};
