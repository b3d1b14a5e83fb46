import { rfc3339 } from '../../base/clock.ts';
import { keyOf } from '../../client/key.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { boundByController, volumeProtection } from '../../schemas/volumes/volume-words.ts';
import { unlessGone } from '../ensure.ts';
import { planVolume, type VolumeStep } from './volume-plan.ts';

const byClaim = ({ spec: { claimRef } }: PersistentVolume): readonly string[] => (claimRef === undefined ? [] : [`${claimRef.namespace}/${claimRef.name}`]);

/** The claim that a volume names. That it is gone is believed when the server says so, for the data may go with it. */
const claimOf = async (volume: PersistentVolume, context: ReconcileContext): Promise<PersistentVolumeClaim | undefined> => {
  const { claimRef } = volume.spec;
  if ((claimRef?.uid ?? '') === '') return undefined;
  const key = { namespace: claimRef?.namespace, name: claimRef?.name ?? '' };
  const known = context.informer(PersistentVolumeClaim).get(key);
  if (known?.metadata.uid === claimRef?.uid) return known;
  const found = await context.client.of(PersistentVolumeClaim).find(key);
  return found?.metadata.uid === claimRef?.uid ? found : undefined;
};

const carryOut = async (step: VolumeStep, volume: PersistentVolume, context: ReconcileContext): Promise<void> => {
  const volumes = context.client.of(PersistentVolume);
  const mine = (draft: Draft<PersistentVolume>): Draft<PersistentVolume> => {
    const { claimRef } = draft.spec;
    if (draft.metadata.uid !== volume.metadata.uid || claimRef?.uid !== volume.spec.claimRef?.uid) throw new ApiError('Conflict', `volume ${volume.metadata.name} is another one's by now`);
    return draft;
  };
  const change = async (how: (draft: Draft<PersistentVolume>) => void): Promise<void> => void await volumes.modify(keyOf(volume), (draft) => how(mine(draft)), { hint: volume });
  switch (step.do) {
    case 'tell': return context.events.event(volume, step.type, step.reason, step.message);
    case 'phase': {
      const lastPhaseTransitionTime = rfc3339(context.clock.now());
      await volumes.modifyStatus(keyOf(volume), (draft) => {
        mine(draft).status = { phase: step.phase, lastPhaseTransitionTime, ...(step.message === undefined ? {} : { message: step.message }) };
      });
      return undefined;
    }
    case 'unbind':
      return change((draft) => {
        if (step.keep === 'nothing') delete draft.spec.claimRef;
        else {
          delete draft.spec.claimRef?.uid;
          delete draft.spec.claimRef?.resourceVersion;
        }
        delete draft.metadata.annotations?.[boundByController];
      });
    case 'delete': return volumes.delete(keyOf(volume), { preconditions: { uid: volume.metadata.uid } });
    case 'protect': return change((draft) => void (draft.metadata.finalizers = [...draft.metadata.finalizers ?? [], volumeProtection]));
    case 'unprotect': return change((draft) => void (draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((name) => name !== volumeProtection)));
  }
};

/** Gives volumes their phase, does with released ones what their policy says, and keeps bound ones from going. */
export const volumeController = (): Controller<PersistentVolume> => ({
  name: 'persistentvolume-reclaimer',
  reconciles: PersistentVolume,
  indexes: { claim: byClaim },
  watches: [{
    kind: PersistentVolumeClaim,
    map: ({ metadata: { namespace, name }, spec: { volumeName = '' } }: PersistentVolumeClaim, context) => [
      ...(volumeName === '' ? [] : [{ name: volumeName }]), ...context.informer(PersistentVolume).by('claim', `${namespace}/${name}`).map(keyOf),
    ],
  }],
  reconcile: async (volume, _key, context) => {
    if (volume === undefined) return;
    const steps = planVolume({ volume, claim: await claimOf(volume, context) });
    for (const step of steps) await unlessGone(carryOut(step, volume, context));
  },
});
