/**
 * What happens to claims between the choice of a node and the binding of the pod: the choice is written to the claims and
 * volumes, and the pod waits, counted to its node, until the claims are bound. What the API shows has the last word: a
 * provisioner that cannot do it takes the choice back, and the pod is tried again.
 */
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { keyOf } from '../client/key.ts';
import { ApiError } from '../schemas/errors.ts';
import { deepEqual } from '../schemas/frozen.ts';
import { PersistentVolumeClaim } from '../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../schemas/kinds/core/persistent-volume.ts';
import type { StorageClass } from '../schemas/kinds/storage/storage-class.ts';
import { nameClaim } from '../schemas/volumes/name-claim.ts';
import { storageClassOf } from '../schemas/volumes/storage-class-of.ts';
import { selectedNode } from '../schemas/volumes/volume-words.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { claimKey, isBound, type VolumePlan, type Volumes } from './volumes.ts';

export interface VolumeBinderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly volumes: Volumes;
  /** The node as it is now, unless it is gone. */
  readonly node: (name: string) => NodeInfo | undefined;
  /** Wakes refused pods that it helps. */
  readonly wake: (helps: (pod: PodInfo) => boolean) => void;
  /** The claims are bound, and the pod can be. */
  readonly ready: (pod: PodInfo, nodeName: string) => void;
  /** The pod will not get its volumes on the node. */
  readonly failed: (pod: PodInfo, why: string) => void;
}

/** Kubernetes' time for the binding of a pod's volumes. */
const longestWaitMs = 600_000;

interface Waiting {
  readonly pod: PodInfo;
  readonly nodeName: string;
  readonly cancel: () => void;
}

export class VolumeBinder {
  readonly #o: VolumeBinderOptions;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: VolumeBinderOptions) {
    this.#o = options;
  }

  /** Writes a plan. Rejects when a volume or claim has changed in the meantime; what was written by then stands. */
  async write({ nodeName, bind, provision }: VolumePlan): Promise<void> {
    await Promise.all([
      ...bind.map(({ claim, volume }) => reserve(this.#o.client, claim, volume)),
      ...provision.map((claim) => choose(this.#o.client, claim, nodeName)),
    ]);
  }

  /** Calls `ready` or `failed` as soon as either is the case. */
  wait(pod: PodInfo, nodeName: string): void {
    const cancel = this.#o.clock.after(longestWaitMs, () => this.#end(pod, () => this.#o.failed(pod, 'timed out waiting for its volumes')));
    this.#waiting.set(pod.uid, { pod, nodeName, cancel });
    this.#look(pod.uid);
  }

  /** The pod is gone, or tried again. */
  forget(uid: string): void {
    this.#waiting.get(uid)?.cancel();
    this.#waiting.delete(uid);
  }

  setClaim(claim: PersistentVolumeClaim): void {
    const key = claimKey(claim);
    const old = this.#o.volumes.claim(key);
    this.#o.volumes.setClaim(claim);
    if (old === undefined || !sameClaim(old, claim)) this.#claimChanged(key);
  }

  removeClaim(claim: PersistentVolumeClaim): void {
    this.#o.volumes.removeClaim(claim);
    this.#claimChanged(claimKey(claim));
  }

  setVolume(volume: PersistentVolume): void {
    this.#o.volumes.setVolume(volume);
    this.#volumeChanged(volume);
  }

  removeVolume(volume: PersistentVolume): void {
    this.#o.volumes.removeVolume(volume);
    this.#volumeChanged(volume);
  }

  setClass(storageClass: StorageClass): void {
    this.#o.volumes.setClass(storageClass);
    this.#classChanged(storageClass);
  }

  removeClass(storageClass: StorageClass): void {
    this.#o.volumes.removeClass(storageClass);
    this.#classChanged(storageClass);
  }

  #claimChanged(key: string): void {
    this.#changed(({ claimKeys }) => claimKeys.includes(key));
  }

  /** A volume may help whoever has no volume yet, and whoever has this one. */
  #volumeChanged({ metadata: { name } }: PersistentVolume): void {
    this.#changed(this.#hasClaim((claim) => !isBound(claim) || claim.spec.volumeName === name));
  }

  #classChanged({ metadata: { name } }: StorageClass): void {
    this.#changed(this.#hasClaim((claim) => !isBound(claim) && storageClassOf(claim) === name));
  }

  #hasClaim(is: (claim: PersistentVolumeClaim) => boolean): (pod: PodInfo) => boolean {
    return ({ claimKeys }) => claimKeys.some((key) => {
      const claim = this.#o.volumes.claim(key);
      return claim !== undefined && is(claim);
    });
  }

  #changed(concerns: (pod: PodInfo) => boolean): void {
    for (const [uid, { pod }] of this.#waiting) if (concerns(pod)) this.#look(uid);
    this.#o.wake(concerns);
  }

  #look(uid: string): void {
    const waiting = this.#waiting.get(uid);
    if (waiting === undefined) return;
    const { pod, nodeName } = waiting;
    const node = this.#o.node(nodeName);
    const standing = node === undefined ? { failed: `node ${nodeName} is gone` } : this.#o.volumes.standing(pod, node);
    if (standing === 'waiting') return;
    this.#end(pod, () => (standing === 'ready' ? this.#o.ready(pod, nodeName) : this.#o.failed(pod, standing.failed)));
  }

  #end({ uid }: PodInfo, then: () => void): void {
    this.forget(uid);
    then();
  }
}

/** What of a claim makes a difference to pods. */
const sameClaim = (a: PersistentVolumeClaim, b: PersistentVolumeClaim): boolean => a.status?.phase === b.status?.phase
  && a.metadata.deletionTimestamp === b.metadata.deletionTimestamp && a.metadata.uid === b.metadata.uid
  && deepEqual(a.metadata.annotations, b.metadata.annotations) && deepEqual(a.spec, b.spec);

/** Makes a volume name the claim; the binder does the rest. */
const reserve = async (client: Client, claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> => {
  if (volume.spec.claimRef?.uid === claim.metadata.uid) return;
  await client.of(PersistentVolume).modify(keyOf(volume), (draft) => {
    if (draft.metadata.uid !== volume.metadata.uid || !nameClaim(draft, claim)) throw new ApiError('Conflict', `volume ${volume.metadata.name} was taken in the meantime`);
  }, { hint: volume });
};

/** Says on which node the volume of a claim is to be made. */
const choose = async (client: Client, claim: PersistentVolumeClaim, nodeName: string): Promise<void> => {
  await client.of(PersistentVolumeClaim).modify(keyOf(claim), (draft) => {
    const chosen = draft.metadata.annotations?.[selectedNode];
    if (draft.metadata.uid !== claim.metadata.uid || (chosen !== undefined && chosen !== nodeName)) throw new ApiError('Conflict', `claim ${claim.metadata.name} is for another node by now`);
    if (!isBound(draft as PersistentVolumeClaim)) draft.metadata.annotations = { ...draft.metadata.annotations, [selectedNode]: nodeName };
  }, { hint: claim });
};
