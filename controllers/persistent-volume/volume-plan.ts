/** What a volume needs next: the phase that its claim gives it, and when the claim is gone what its policy says. */
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { boundByController, localPathProvisioner, provisionedBy, volumeProtection } from '../../schemas/volumes/volume-words.ts';
import type { Told } from './claim-plan.ts';

export interface VolumeState {
  readonly volume: PersistentVolume;
  /** The claim that the volume names, by uid where it names one; undefined: the server has no such claim. */
  readonly claim: PersistentVolumeClaim | undefined;
}

export type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed';

export type VolumeStep =
  | Told
  | { readonly do: 'phase'; readonly phase: VolumePhase; readonly message?: string }
  /** Gives the volume free: of all that names the claim, or only of the uid, where the owner of the volume named the claim. */
  | { readonly do: 'unbind'; readonly keep: 'nothing' | 'name' }
  | { readonly do: 'delete' | 'protect' | 'unprotect' };

const phase = ({ status }: PersistentVolume, wanted: VolumePhase, message?: string): readonly VolumeStep[] =>
  (status?.phase === wanted ? [] : [{ do: 'phase', phase: wanted, ...(message === undefined ? {} : { message }) }]);

/** The steps for a volume, in their order; none when it is settled. */
export const planVolume = (state: VolumeState): readonly VolumeStep[] => {
  const { volume: { metadata }, claim } = state;
  const isProtected = metadata.finalizers?.includes(volumeProtection) === true;
  const steps = ofClaim(state);
  if (metadata.deletionTimestamp === undefined) return isProtected ? steps : [{ do: 'protect' }, ...steps];
  const isBound = claim !== undefined && claim.spec.volumeName === metadata.name;
  return isProtected && !isBound ? [...steps, { do: 'unprotect' }] : steps;
};

const ofClaim = (state: VolumeState): readonly VolumeStep[] => {
  const { volume, claim } = state;
  const { claimRef, persistentVolumeReclaimPolicy } = volume.spec;
  if (claimRef === undefined || (claimRef.uid ?? '') === '') return phase(volume, 'Available');
  if (claim === undefined) return released(volume);
  if ((claim.spec.volumeName ?? '') === '') return [];
  if (claim.spec.volumeName === volume.metadata.name) return phase(volume, 'Bound');
  // The claim has got another volume. What was made for it alone goes; what the binder chose is free again.
  const annotations = volume.metadata.annotations ?? {};
  if (annotations[provisionedBy] !== undefined && persistentVolumeReclaimPolicy === 'Delete') return released(volume);
  return [{ do: 'unbind', keep: annotations[boundByController] === undefined ? 'name' : 'nothing' }, ...phase(volume, 'Available')];
};

const failed = (volume: PersistentVolume, reason: string, message: string): readonly VolumeStep[] =>
  (volume.status?.phase === 'Failed' ? [] : [{ do: 'phase', phase: 'Failed', message }, { do: 'tell', type: 'Warning', reason, message }]);

/** The claim is gone for good. Nobody here empties volumes, and only what barge made is deleted: others delete their own. */
const released = (volume: PersistentVolume): readonly VolumeStep[] => {
  const { metadata, spec } = volume;
  const maker = metadata.annotations?.[provisionedBy];
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') return failed(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
  if (spec.persistentVolumeReclaimPolicy !== 'Delete') return volume.status?.phase === 'Failed' ? [] : phase(volume, 'Released');
  if (maker === undefined) return failed(volume, 'VolumeFailedDelete', `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`);
  const steps = phase(volume, 'Released');
  return maker === localPathProvisioner && metadata.deletionTimestamp === undefined ? [...steps, { do: 'delete' }] : steps;
};
