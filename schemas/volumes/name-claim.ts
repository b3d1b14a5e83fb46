import type { Draft } from '../frozen.ts';
import type { PersistentVolumeClaim } from '../kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../kinds/core/persistent-volume.ts';
import { isMeantFor } from './match-volume.ts';
import { boundByController } from './volume-words.ts';

/** Makes a volume name a claim, the first step of binding. False: it is going or another one's, and nothing has changed. */
export const nameClaim = (volume: Draft<PersistentVolume>, claim: PersistentVolumeClaim): boolean => {
  const { claimRef } = volume.spec;
  if (volume.metadata.deletionTimestamp !== undefined || (claimRef !== undefined && !isMeantFor(volume as PersistentVolume, claim))) return false;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  volume.spec.claimRef = { ...claimRef, apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion } as NonNullable<typeof claimRef>;
  if (claimRef === undefined) volume.metadata.annotations = { ...volume.metadata.annotations, [boundByController]: 'yes' };
  return true;
};
