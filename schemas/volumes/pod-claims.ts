import type { Pod } from '../kinds/core/pod.ts';
import { controllerOf } from '../owners.ts';
import type { PersistentVolumeClaim } from '../kinds/core/persistent-volume-claim.ts';
import type { Volume } from '../types/volume.ts';

export interface PodClaim {
  /** The volume of the pod. */
  readonly volume: Volume;
  /** Name of the claim in the pod's namespace. */
  readonly claimName: string;
  /** True where the claim is made for the pod and must be its own. */
  readonly isEphemeral: boolean;
}

const none: readonly PodClaim[] = Object.freeze([]);

/** The claims that a pod's volumes stand on. */
export const podClaims = ({ metadata, spec }: Pod): readonly PodClaim[] => {
  let found: PodClaim[] | undefined;
  for (const volume of spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) (found ??= []).push({ volume, claimName: volume.persistentVolumeClaim.claimName, isEphemeral: false });
    else if (volume.ephemeral !== undefined) (found ??= []).push({ volume, claimName: ephemeralClaimName(metadata.name ?? '', volume.name), isEphemeral: true });
  }
  return found ?? none;
};

/** Name of the claim that is made for an ephemeral volume of a pod. */
export const ephemeralClaimName = (podName: string, volumeName: string): string => `${podName}-${volumeName}`;

/** Why a claim that was to be made for the pod is not the pod's, in Kubernetes' words; undefined: it is. */
export const whyNotOfPod = (claim: PersistentVolumeClaim, pod: Pod): string | undefined => {
  if (controllerOf(claim)?.uid === pod.metadata.uid) return undefined;
  const { namespace, name } = claim.metadata;
  return `PVC "${namespace}/${name}" was not created for pod "${pod.metadata.namespace}/${pod.metadata.name}" (pod is not owner)`;
};
