import type { PersistentVolumeClaim } from '../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../schemas/kinds/core/persistent-volume.ts';
import type { StorageClass } from '../schemas/kinds/storage/storage-class.ts';
import type { NodeIdentity } from '../schemas/node-selector.ts';
import { compareQuantities } from '../schemas/quantity.ts';
import { isAllowedAt } from '../schemas/volumes/allowed-topology.ts';
import { isReachedFrom, matchVolume } from '../schemas/volumes/match-volume.ts';
import { whyNotOfPod } from '../schemas/volumes/pod-claims.ts';
import { storageClassOf } from '../schemas/volumes/storage-class-of.ts';
import { bindCompleted, noProvisioner, selectedNode } from '../schemas/volumes/volume-words.ts';
import type { PodInfo } from './pod-info.ts';

/** What is to be done for the claims of a pod on a node before the pod can be bound to it. */
export interface VolumePlan {
  readonly nodeName: string;
  /** Volumes that somebody made, each for a claim. */
  readonly bind: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims for which a volume is to be made. */
  readonly provision: readonly PersistentVolumeClaim[];
}

/** What was decided for a claim and is not seen in the API yet. */
interface Promised {
  readonly nodeName: string;
  readonly volumeName: string | undefined;
}

/** How the claims of a pod stand that is to go to a node. */
export type Standing = 'ready' | 'waiting' | { readonly failed: string };

export const claimKey = ({ metadata: { namespace, name } }: PersistentVolumeClaim): string => `${namespace}/${name}`;

/** Whether a claim has its volume for good. */
export const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean => (spec.volumeName ?? '') !== '' && metadata.annotations?.[bindCompleted] !== undefined;

const chosenNode = ({ metadata }: PersistentVolumeClaim): string | undefined => metadata.annotations?.[selectedNode];

const noVolume = "node(s) didn't find available persistent volumes to bind";

/**
 * Volumes is what the scheduler believes of claims, volumes and classes, with what it has decided about them itself: a
 * volume that was promised to one claim is not promised to another before the API shows it.
 */
export class Volumes {
  readonly #claims = new Map<string, PersistentVolumeClaim>();
  readonly #volumes = new Map<string, PersistentVolume>();
  /** Free volumes by class, and those that name a claim by its key. */
  readonly #byUse = new Map<string, Map<string, PersistentVolume>>();
  readonly #classes = new Map<string, StorageClass>();
  readonly #promised = new Map<string, Promised>();
  readonly #users = new Map<string, number>();
  readonly #changed: () => void;

  /** `changed` is told of every change that a decision can depend on. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  claim(key: string): PersistentVolumeClaim | undefined {
    return this.#claims.get(key);
  }

  volume(name: string): PersistentVolume | undefined {
    return this.#volumes.get(name);
  }

  setClaim(claim: PersistentVolumeClaim): void {
    const key = claimKey(claim);
    this.#claims.set(key, claim);
    if (isBound(claim) || chosenNode(claim) !== undefined) this.#promised.delete(key);
    this.#changed();
  }

  removeClaim(claim: PersistentVolumeClaim): void {
    this.#claims.delete(claimKey(claim));
    this.#promised.delete(claimKey(claim));
    this.#changed();
  }

  setVolume(volume: PersistentVolume): void {
    const { name = '' } = volume.metadata;
    this.#unlist(name);
    this.#volumes.set(name, volume);
    const use = useOf(volume);
    const listed = this.#byUse.get(use) ?? new Map();
    this.#byUse.set(use, listed.set(name, volume));
    const { claimRef } = volume.spec;
    if (claimRef !== undefined) this.#promised.delete(`${claimRef.namespace}/${claimRef.name}`);
    this.#changed();
  }

  removeVolume({ metadata: { name = '' } }: PersistentVolume): void {
    this.#unlist(name);
    this.#volumes.delete(name);
    this.#changed();
  }

  setClass(storageClass: StorageClass): void {
    this.#classes.set(storageClass.metadata.name ?? '', storageClass);
    this.#changed();
  }

  removeClass({ metadata: { name = '' } }: StorageClass): void {
    this.#classes.delete(name);
    this.#changed();
  }

  /** A pod is on a node, or no longer. */
  use({ claimKeys }: PodInfo, by: 1 | -1): void {
    for (const key of claimKeys) {
      const count = (this.#users.get(key) ?? 0) + by;
      if (count > 0) this.#users.set(key, count);
      else this.#users.delete(key);
    }
  }

  /** Whether a claim is for one pod, and a pod that has a node uses it. */
  isTaken(key: string): boolean {
    return this.#users.has(key) && this.#claims.get(key)?.spec.accessModes?.includes('ReadWriteOncePod') === true;
  }

  /** Why no node will do for a pod as its claims are, in Kubernetes' words. */
  whyNowhere({ pod, claims, claimKeys }: PodInfo): string | undefined {
    let isUnbound = false;
    for (const [at, { claimName, isEphemeral }] of claims.entries()) {
      const claim = this.#claims.get(claimKeys[at] as string);
      if (claim === undefined) return isEphemeral ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claimName}"` : `persistentvolumeclaim "${claimName}" not found`;
      const strange = isEphemeral ? whyNotOfPod(claim, pod) : undefined;
      if (strange !== undefined) return strange;
      if (claim.status?.phase === 'Lost') return `persistentvolumeclaim "${claimName}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`;
      if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${claimName}" is being deleted`;
      isUnbound ||= !isBound(claim) && !this.#waitsForPod(claim);
    }
    return isUnbound ? 'pod has unbound immediate PersistentVolumeClaims' : undefined;
  }

  /** What is to be done for a pod's claims on a node; or why the node will not do, in Kubernetes' words. */
  plan({ claimKeys }: PodInfo, node: NodeIdentity): VolumePlan | string {
    const unbound: PersistentVolumeClaim[] = [];
    for (const key of claimKeys) {
      const claim = this.#claims.get(key);
      if (claim === undefined) return noVolume;
      if (!isBound(claim)) {
        unbound.push(claim);
        continue;
      }
      const volume = this.#volumes.get(claim.spec.volumeName ?? '');
      if (volume === undefined) return 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
      if (!isReachedFrom(volume, node)) return 'node(s) had volume node affinity conflict';
    }
    return unbound.length === 0 ? { nodeName: node.name, bind: [], provision: [] } : this.#planUnbound(unbound, node);
  }

  /** Counts what a plan takes as taken, until the API shows it. */
  promise({ nodeName, bind, provision }: VolumePlan): void {
    for (const { claim, volume } of bind) this.#promised.set(claimKey(claim), { nodeName, volumeName: volume.metadata.name });
    for (const claim of provision) this.#promised.set(claimKey(claim), { nodeName, volumeName: undefined });
    this.#changed();
  }

  /** A plan was not carried out. */
  forget({ bind, provision }: VolumePlan): void {
    for (const claim of [...bind.map((one) => one.claim), ...provision]) this.#promised.delete(claimKey(claim));
    this.#changed();
  }

  /** Whether a pod that was promised its volumes on a node has them. */
  standing({ claimKeys }: PodInfo, node: NodeIdentity): Standing {
    let isReady = true;
    for (const key of claimKeys) {
      const claim = this.#claims.get(key);
      if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return { failed: `claim ${key} is gone or going` };
      if (isBound(claim)) {
        const volume = this.#volumes.get(claim.spec.volumeName ?? '');
        if (volume === undefined) isReady = false;
        else if (!isReachedFrom(volume, node)) return { failed: `claim ${key} was bound to a volume that node ${node.name} does not reach` };
        continue;
      }
      isReady = false;
      const isUnderWay = chosenNode(claim) === node.name || this.#promised.has(key) || this.#byUse.has(`claim/${key}`);
      if (!isUnderWay) return { failed: `no volume could be made for claim ${key} on node ${node.name}` };
    }
    return isReady ? 'ready' : 'waiting';
  }

  #planUnbound(claims: PersistentVolumeClaim[], node: NodeIdentity): VolumePlan | string {
    const bind: { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[] = [];
    const provision: PersistentVolumeClaim[] = [];
    const taken = new Set([...this.#promised.values()].flatMap(({ volumeName }) => volumeName ?? []));
    // The smallest first: so a small wish does not take what only a great one needs.
    for (const claim of claims.sort((a, b) => compareQuantities(sizeOf(a), sizeOf(b)))) {
      const key = claimKey(claim);
      const chosen = this.#promised.get(key)?.nodeName ?? chosenNode(claim);
      if (chosen !== undefined && chosen !== node.name) return noVolume;
      const promised = this.#volumes.get(this.#promised.get(key)?.volumeName ?? '');
      const volume = promised ?? (chosen === undefined ? matchVolume(claim, { volumes: this.#candidates(claim, key), node, taken }) : undefined);
      if (volume !== undefined) {
        bind.push({ claim, volume });
        taken.add(volume.metadata.name ?? '');
      } else if (this.#byUse.has(`claim/${key}`) && chosen === undefined) return noVolume;
      else if (this.#isProvisionable(claim, node)) provision.push(claim);
      else return noVolume;
    }
    return { nodeName: node.name, bind, provision };
  }

  * #candidates(claim: PersistentVolumeClaim, key: string): Iterable<PersistentVolume> {
    yield* this.#byUse.get(`claim/${key}`)?.values() ?? [];
    yield* this.#byUse.get(`class/${storageClassOf(claim)}`)?.values() ?? [];
  }

  #isProvisionable(claim: PersistentVolumeClaim, { labels }: NodeIdentity): boolean {
    const storageClass = this.#classes.get(storageClassOf(claim));
    return storageClass !== undefined && storageClass.provisioner !== noProvisioner && isAllowedAt(storageClass, labels);
  }

  #waitsForPod(claim: PersistentVolumeClaim): boolean {
    return (claim.spec.volumeName ?? '') === '' && this.#classes.get(storageClassOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
  }

  #unlist(name: string): void {
    const old = this.#volumes.get(name);
    if (old === undefined) return;
    const listed = this.#byUse.get(useOf(old));
    listed?.delete(name);
    if (listed?.size === 0) this.#byUse.delete(useOf(old));
  }
}

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.['storage'] ?? '0';

const useOf = (volume: PersistentVolume): string => {
  const { claimRef } = volume.spec;
  return claimRef === undefined ? `class/${storageClassOf(volume)}` : `claim/${claimRef.namespace}/${claimRef.name}`;
};
