import { keyOf } from '../../client/key.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { ApiError } from '../../schemas/errors.ts';
import { draftOf, type Draft } from '../../schemas/frozen.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { isMeantFor } from '../../schemas/volumes/match-volume.ts';
import { nameClaim } from '../../schemas/volumes/name-claim.ts';
import { podClaims } from '../../schemas/volumes/pod-claims.ts';
import { leavesClassOpen, storageClassOf } from '../../schemas/volumes/storage-class-of.ts';
import { bindCompleted, boundByController, claimProtection, selectedNode, storageProvisioner } from '../../schemas/volumes/volume-words.ts';
import { unlessGone } from '../ensure.ts';
import { isTerminal } from '../pod-state.ts';
import { planClaim, type ClaimStep } from './claim-plan.ts';

/** Volumes stand under the claim that they name, else under their class. */
const byUse = (volume: PersistentVolume): readonly string[] => {
  const { claimRef } = volume.spec;
  return [claimRef === undefined ? `class/${storageClassOf(volume)}` : `claim/${claimRef.namespace}/${claimRef.name}`];
};

/** Claims without a volume stand under their class, those that name a volume under its name. */
const byWish = (claim: PersistentVolumeClaim): readonly string[] => {
  const { volumeName = '' } = claim.spec;
  if (volumeName !== '') return [`volume/${volumeName}`];
  return [`class/${storageClassOf(claim)}`, ...(leavesClassOpen(claim) ? ['open'] : [])];
};

const byClaim = (pod: Pod): readonly string[] => podClaims(pod).map(({ claimName }) => `${pod.metadata.namespace}/${claimName}`);

/** The claim as it is now, unless another one has its name or it was bound elsewhere in the meantime. */
const same = (draft: Draft<PersistentVolumeClaim>, claim: PersistentVolumeClaim): void => {
  if (draft.metadata.uid !== claim.metadata.uid) throw new ApiError('Conflict', `claim ${claim.metadata.name} was made anew in the meantime`);
};

const annotate = (draft: Draft<PersistentVolumeClaim>, annotations: Readonly<Record<string, string>>): void => {
  draft.metadata.annotations = { ...draft.metadata.annotations, ...annotations };
};

/** A pod that came while the copy was behind: the server is asked before protection ends. */
const isUsedNow = async (claim: PersistentVolumeClaim, context: ReconcileContext): Promise<boolean> => {
  const { items } = await context.client.of(Pod).list({ namespace: claim.metadata.namespace });
  return items.some((pod) => isPlaced(pod) && byClaim(pod).includes(`${claim.metadata.namespace}/${claim.metadata.name}`));
};

/** A volume that the scheduler gave the claim while the copy was behind: the server is asked before another is made. */
const isReserved = async (claim: PersistentVolumeClaim, context: ReconcileContext): Promise<boolean> => {
  const { items } = await context.client.of(PersistentVolume).list();
  return items.some((volume) => volume.spec.claimRef !== undefined && isMeantFor(volume, claim));
};

const isPlaced = ({ spec }: Pod): boolean => (spec.nodeName ?? '') !== '';

const carryOut = async (step: ClaimStep, claim: PersistentVolumeClaim, context: ReconcileContext): Promise<void> => {
  const claims = context.client.of(PersistentVolumeClaim);
  const change = async (how: (draft: Draft<PersistentVolumeClaim>) => void): Promise<void> => {
    await claims.modify(keyOf(claim), (draft) => {
      same(draft, claim);
      how(draft);
    }, { hint: claim });
  };
  const changeStatus = async (how: (draft: Draft<PersistentVolumeClaim>) => void): Promise<void> => {
    await claims.modifyStatus(keyOf(claim), (draft) => {
      same(draft, claim);
      how(draft);
    });
  };
  switch (step.do) {
    case 'tell': return context.events.event(claim, step.type, step.reason, step.message);
    case 'reserve': return reserve(step.volume, claim, context);
    case 'name-volume':
      return change((draft) => {
        const { name = '' } = step.volume.metadata;
        const before = draft.spec.volumeName ?? '';
        if (before !== '' && before !== name) throw new ApiError('Conflict', `claim ${claim.metadata.name} names another volume by now`);
        draft.spec.volumeName = name;
        annotate(draft, { [bindCompleted]: 'yes', ...(before === '' ? { [boundByController]: 'yes' } : {}) });
      });
    case 'show-bound':
      return changeStatus((draft) => {
        const { accessModes, capacity } = step.volume.spec;
        // The size is taken over once: growing is done by who made the volume.
        const grown = draft.status?.phase === 'Bound' ? draft.status.capacity : undefined;
        draft.status = { ...draft.status, phase: 'Bound', accessModes: draftOf(accessModes ?? []), capacity: grown ?? draftOf(capacity ?? {}) };
      });
    case 'phase': return changeStatus((draft) => void (draft.status = { ...draft.status, phase: step.phase }));
    case 'set-class': return change((draft) => void (draft.spec.storageClassName = step.className));
    case 'select-node':
      if (await isReserved(claim, context)) return undefined;
      return change((draft) => (draft.metadata.annotations?.[selectedNode] === undefined ? annotate(draft, { [selectedNode]: step.nodeName }) : undefined));
    case 'ask-provisioner': return change((draft) => annotate(draft, Object.fromEntries(storageProvisioner.map((name) => [name, step.provisioner]))));
    case 'protect': return change((draft) => void (draft.metadata.finalizers = [...draft.metadata.finalizers ?? [], claimProtection]));
    case 'unprotect':
      if (await isUsedNow(claim, context)) return undefined;
      return change((draft) => void (draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((name) => name !== claimProtection)));
  }
};

const reserve = async (volume: PersistentVolume, claim: PersistentVolumeClaim, context: ReconcileContext): Promise<void> => {
  await context.client.of(PersistentVolume).modify(keyOf(volume), (draft) => {
    if (draft.metadata.uid !== volume.metadata.uid || !nameClaim(draft, claim)) throw new ApiError('Conflict', `volume ${volume.metadata.name} was taken in the meantime`);
  }, { hint: volume });
};

/** A claim that waits has its reason told again after so long, for events are not kept for ever. */
const toldAgainMs = 600_000;

/**
 * A provisioner that cannot make a volume on a node takes its name off the claim, for the scheduler to choose again. Where a
 * pod has its node there is no other choice; only what the provisioner lacks may have come, so it is asked again after so long.
 */
const choosesAgainMs = 60_000;

/** What was done about claims lately: every look finds the same reasons, and would do the same again. */
class Lately {
  readonly #againMs: number;
  readonly #done = new Map<string, { readonly what: string; readonly atMs: number }>();

  constructor(againMs: number) {
    this.#againMs = againMs;
  }

  /** How long the same is not to be done again to the claim with this uid; 0: it may be done now. */
  waitMs(uid: string, what: string, nowMs: number): number {
    const last = this.#done.get(uid);
    return last?.what === what ? Math.max(0, last.atMs + this.#againMs - nowMs) : 0;
  }

  note(uid: string, what: string, nowMs: number): void {
    this.#done.set(uid, { what, atMs: nowMs });
  }

  /** Forgets all but these, should there be more. */
  keep(claims: readonly PersistentVolumeClaim[]): void {
    if (this.#done.size <= claims.length) return;
    const alive = new Set(claims.map(({ metadata }) => metadata.uid));
    for (const uid of this.#done.keys()) if (!alive.has(uid)) this.#done.delete(uid);
  }
}

/** Binds claims to volumes, asks provisioners for what is missing, and keeps claims that pods use from going. */
export const claimController = (): Controller<PersistentVolumeClaim> => {
  const told = new Lately(toldAgainMs);
  const chosen = new Lately(choosesAgainMs);
  return {
    name: 'persistentvolume-controller',
    reconciles: PersistentVolumeClaim,
    indexes: { wish: byWish },
    watches: [
      {
        kind: PersistentVolume, indexes: { use: byUse },
        map: (volume: PersistentVolume, context) => {
          const { claimRef } = volume.spec;
          const claims = context.informer(PersistentVolumeClaim);
          const naming = claims.by('wish', `volume/${volume.metadata.name}`).map(keyOf);
          if (claimRef !== undefined) return [...naming, { namespace: claimRef.namespace, name: claimRef.name ?? '' }];
          return volume.status?.phase === 'Available' ? [...naming, ...claims.by('wish', `class/${storageClassOf(volume)}`).map(keyOf)] : naming;
        },
      },
      {
        kind: StorageClass,
        map: ({ metadata }: StorageClass, context) => ['open', `class/${metadata.name}`].flatMap((value) => context.informer(PersistentVolumeClaim).by('wish', value).map(keyOf)),
      },
      {
        // A pod that goes may be the last that a claim waits for; one that comes is named in the claim's event, or says where the volume has to be.
        kind: Pod, indexes: { claim: byClaim },
        map: (pod: Pod, context) => podClaims(pod).map(({ claimName }) => ({ namespace: pod.metadata.namespace, name: claimName })).filter((key) => {
          const claim = context.informer(PersistentVolumeClaim).get(key);
          return claim?.metadata.deletionTimestamp !== undefined || claim?.status?.phase === 'Pending';
        }),
      },
    ],
    reconcile: async (claim, { namespace, name }, context) => {
      if (claim === undefined) {
        const claims = context.informer(PersistentVolumeClaim).list();
        told.keep(claims);
        chosen.keep(claims);
        return undefined;
      }
      const volumes = context.informer(PersistentVolume);
      const pods = context.informer(Pod).by('claim', `${namespace}/${name}`);
      const wanted = claim.spec.volumeName ?? '';
      const named = wanted === '' ? undefined : volumes.get({ name: wanted }) ?? await context.client.of(PersistentVolume).find({ name: wanted });
      const steps = planClaim({
        claim, named,
        candidates: wanted === '' ? [...volumes.by('use', `claim/${namespace}/${name}`), ...volumes.by('use', `class/${storageClassOf(claim)}`)] : [],
        classes: context.informer(StorageClass).list(),
        isUsed: pods.some(isPlaced),
        consumerNode: pods.find((pod) => isPlaced(pod) && !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined)?.spec.nodeName,
        unplacedPod: pods.find((pod) => !isPlaced(pod) && pod.metadata.deletionTimestamp === undefined)?.metadata.name,
      });
      const { uid = '' } = claim.metadata;
      const nowMs = context.clock.now();
      for (const step of steps) {
        if (step.do === 'tell') {
          const what = `${step.reason} ${step.message}`;
          if (told.waitMs(uid, what, nowMs) > 0) continue;
          told.note(uid, what, nowMs);
        }
        const afterMs = step.do === 'select-node' ? chosen.waitMs(uid, step.nodeName, nowMs) : 0;
        if (afterMs > 0) return { afterMs };
        await unlessGone(carryOut(step, claim, context));
        if (step.do === 'select-node') chosen.note(uid, step.nodeName, nowMs);
      }
      return steps.some((step) => step.do === 'tell') && claim.status?.phase === 'Pending' ? { afterMs: toldAgainMs } : undefined;
    },
  };
};
