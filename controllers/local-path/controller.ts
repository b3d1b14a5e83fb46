import { keyOf } from '../../client/key.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import type { Draft } from '../../schemas/frozen.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { storageClassOf } from '../../schemas/volumes/storage-class-of.ts';
import { localPathFinalizer, localPathProvisioner, selectedNode } from '../../schemas/volumes/volume-words.ts';
import { ensure, unlessGone } from '../ensure.ts';
import { planFinalizer, planGrowth, planProvision, volumeName } from './plan.ts';

/** A claim that was refused, with what was wrong said once more, for it may be mended where nobody watches. */
const refusedAgainMs = 60_000;

const provision = async (claim: PersistentVolumeClaim, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
  const nodeName = claim.metadata.annotations?.[selectedNode] ?? '';
  const plan = planProvision({
    claim, storageClass: context.informer(StorageClass).get({ name: storageClassOf(claim) }),
    // Only the server knows that a node is gone: the copy may be behind.
    node: nodeName === '' ? undefined : context.informer(Node).get({ name: nodeName }) ?? await context.client.of(Node).find({ name: nodeName }),
  });
  switch (plan.do) {
    case 'nothing': return undefined;
    case 'create': {
      if (context.informer(PersistentVolume).get({ name: volumeName(claim) }) !== undefined) return undefined;
      await ensure(context.client.of(PersistentVolume).create(plan.volume));
      context.events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeName(claim)}`);
      return undefined;
    }
    case 'refuse':
      context.events.event(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "${storageClassOf(claim)}": ${plan.why}`);
      if (!plan.elsewhere) return { afterMs: refusedAgainMs };
      await unlessGone(context.client.of(PersistentVolumeClaim).modify(keyOf(claim), (draft) => {
        if (draft.metadata.annotations?.[selectedNode] === nodeName) delete draft.metadata.annotations[selectedNode];
      }, { hint: claim }));
      return undefined;
  }
};

const grow = async (claim: PersistentVolumeClaim, volume: PersistentVolume, context: ReconcileContext): Promise<void> => {
  const step = planGrowth(claim, volume);
  if (step === undefined) return;
  const mine = <T extends { readonly metadata: { readonly uid?: string | undefined } }>(draft: Draft<T>, of: T, change: (draft: Draft<T>) => void): void => {
    if ((draft as unknown as T).metadata.uid === of.metadata.uid) change(draft);
  };
  if (step.do === 'grow-volume') {
    await unlessGone(context.client.of(PersistentVolume).modify(keyOf(volume), (draft) => mine(draft, volume, (own) => void (own.spec.capacity = { ...own.spec.capacity, storage: step.size })), { hint: volume }));
    return;
  }
  await unlessGone(context.client.of(PersistentVolumeClaim).modifyStatus(keyOf(claim), (draft) => mine(draft, claim, (own) => {
    own.status = { ...own.status, capacity: { ...own.status?.capacity, storage: step.size } };
  }), { hint: claim }));
  context.events.event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded');
};

/** Makes the volumes of claims whose class is `barge.dev/local-path`'s, and lets them grow. */
export const localPathController = (): Controller<PersistentVolumeClaim> => ({
  name: localPathProvisioner,
  reconciles: PersistentVolumeClaim,
  reads: [Node, StorageClass],
  watches: [{ kind: PersistentVolume, map: ({ spec: { claimRef } }: PersistentVolume) => (claimRef === undefined ? [] : [{ namespace: claimRef.namespace, name: claimRef.name ?? '' }]) }],
  reconcile: async (claim, _key, context) => {
    if (claim === undefined) return undefined;
    const name = claim.spec.volumeName ?? '';
    if (name === '') return provision(claim, context);
    const volume = context.informer(PersistentVolume).get({ name });
    if (volume !== undefined) await grow(claim, volume, context);
    return undefined;
  },
});

/** Keeps the agent's finalizer on exactly those volumes of `barge.dev/local-path` that are to be deleted with their claim. */
export const localPathFinalizerController = (): Controller<PersistentVolume> => ({
  name: `${localPathProvisioner}-finalizer`,
  reconciles: PersistentVolume,
  reconcile: async (volume, key, context) => {
    if (volume === undefined || planFinalizer(volume) === undefined) return;
    await unlessGone(context.client.of(PersistentVolume).modify(key, (draft) => {
      const step = planFinalizer(draft as PersistentVolume);
      const { finalizers = [] } = draft.metadata;
      if (step === 'add') draft.metadata.finalizers = [...finalizers, localPathFinalizer];
      else if (step === 'remove') draft.metadata.finalizers = finalizers.filter((name) => name !== localPathFinalizer);
    }, { hint: volume }));
  },
});
