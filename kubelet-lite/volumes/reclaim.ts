/**
 * Takes away the folders of local volumes that nobody needs any more. The object of the volume is deleted first and stays
 * for as long as it has this agent's finalizer; the folder goes, and then the finalizer. So no folder is forgotten, and
 * none is removed for an object that somebody could still bind.
 */
import type { Controller } from '../../client/controller.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { isReason } from '../../schemas/errors.ts';
import { localPathFinalizer, localPathNode, localPathProvisioner, provisionedBy, volumeProtection } from '../../schemas/volumes/volume-words.ts';
import type { ClaimedVolumes } from './claimed-volumes.ts';
import type { LocalDirs } from './local-dirs.ts';

/** What this node's agent has to do about a volume: `forget` keeps the folder, for the policy is not to delete it. */
export const planReclaim = ({ metadata, spec }: PersistentVolume, nodeName: string): 'remove' | 'forget' | undefined => {
  const { annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  if (annotations[provisionedBy] !== localPathProvisioner || annotations[localPathNode] !== nodeName) return undefined;
  if (deletionTimestamp === undefined || !finalizers.includes(localPathFinalizer) || finalizers.includes(volumeProtection)) return undefined;
  return spec.persistentVolumeReclaimPolicy === 'Delete' ? 'remove' : 'forget';
};

export interface ReclaimOptions {
  readonly nodeName: string;
  readonly dirs: LocalDirs;
  readonly claimed: ClaimedVolumes;
}

/** A pod that was taken out of the API by force may be about to end. */
const usedAgainMs = 5_000;

/** Removes the folders of this node's volumes that are being deleted. */
export const reclaimController = ({ nodeName, dirs, claimed }: ReclaimOptions): Controller<PersistentVolume> => ({
  name: 'local-path-agent',
  reconciles: PersistentVolume,
  workers: 1,
  reconcile: async (known, key, context) => {
    if (known === undefined || planReclaim(known, nodeName) === undefined) return undefined;
    // The copy may be behind, and the policy have become another one.
    const volume = await context.client.of(PersistentVolume).find(key);
    const step = volume === undefined ? undefined : planReclaim(volume, nodeName);
    if (volume === undefined || step === undefined) return undefined;
    if (step === 'remove') {
      const path = volume.spec.local?.path ?? '';
      const folder = dirs.nameAt(path);
      const failed = (why: string): void => context.events.event(volume, 'Warning', 'VolumeFailedDelete', why);
      if (folder === undefined) {
        failed(`${JSON.stringify(path)} is not in this node's folder of volumes, ${dirs.dir}: it is left alone`);
        return undefined;
      }
      if (claimed.isUsed(folder)) return { afterMs: usedAgainMs };
      try {
        await dirs.remove(folder);
      } catch (error) {
        failed(`the folder could not be removed: ${error instanceof Error ? error.message : String(error)}`);
        throw error;
      }
    }
    try {
      await context.client.of(PersistentVolume).modify(key, (draft) => {
        if (draft.metadata.uid === volume.metadata.uid) draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((name) => name !== localPathFinalizer);
      }, { hint: volume });
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
    }
    return undefined;
  },
});
