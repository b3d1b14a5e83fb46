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
import { awaitedNode, planFinalizer, planGrowth, planProvision, volumeName } from './plan.ts';

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

const removeFinalizer = (draft: Draft<PersistentVolume>): void => {
  draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((name) => name !== localPathFinalizer);
};

export interface LocalPathOptions {
  /** How long a node must have been gone before its volumes are no longer waited for. */
  readonly nodeGoneMs: number;
}

/**
 * Keeps the agent's finalizer on exactly those volumes of `barge.dev/local-path` that are to be deleted with their claim.
 * A volume that waits for the agent of a node that no longer exists is given up: the folder is gone with the node.
 */
export const localPathFinalizerController = ({ nodeGoneMs }: LocalPathOptions): Controller<PersistentVolume> => {
  /** Since when the node of a volume is missing, by the volume's name. */
  const goneSinceMs = new Map<string, number>();

  const giveUp = async (volume: PersistentVolume, nodeName: string, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
    const name = volume.metadata.name ?? '';
    const nowMs = context.clock.now();
    const sinceMs = goneSinceMs.get(name) ?? nowMs;
    goneSinceMs.set(name, sinceMs);
    if (sinceMs + nodeGoneMs > nowMs) return { afterMs: sinceMs + nodeGoneMs - nowMs };
    // The copy may be behind: a node that was made anew removes the folder itself.
    if (await context.client.of(Node).find({ name: nodeName }) !== undefined) return { afterMs: nodeGoneMs };
    await unlessGone(context.client.of(PersistentVolume).modify(keyOf(volume), (draft) => {
      if (draft.metadata.uid === volume.metadata.uid) removeFinalizer(draft);
    }, { hint: volume }));
    context.events.event(volume, 'Warning', 'VolumeGivenUp', `node "${nodeName}" no longer exists: the volume goes without anybody having removed its folder ${volume.spec.local?.path ?? ''}`);
    return undefined;
  };

  return {
    name: `${localPathProvisioner}-finalizer`,
    reconciles: PersistentVolume,
    indexes: { 'awaited-node': (volume: PersistentVolume) => [awaitedNode(volume)].filter((name) => name !== undefined) },
    watches: [{ kind: Node, map: ({ metadata }: Node, context) => context.informer(PersistentVolume).by('awaited-node', metadata.name ?? '').map(keyOf) }],
    reconcile: async (volume, key, context) => {
      const nodeName = volume === undefined ? undefined : awaitedNode(volume);
      if (volume !== undefined && nodeName !== undefined && context.informer(Node).get({ name: nodeName }) === undefined) return giveUp(volume, nodeName, context);
      goneSinceMs.delete(key.name);
      if (volume === undefined || planFinalizer(volume) === undefined) return undefined;
      await unlessGone(context.client.of(PersistentVolume).modify(key, (draft) => {
        const step = planFinalizer(draft as PersistentVolume);
        if (step === 'add') draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []), localPathFinalizer];
        else if (step === 'remove') removeFinalizer(draft);
      }, { hint: volume }));
      return undefined;
    },
  };
};
