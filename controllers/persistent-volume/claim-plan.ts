/**
 * What a claim needs next: a volume, somebody who makes one, a word to its owner, or to be let go.
 *
 * Binding is three writes in a fixed order: the volume names the claim (from then on nobody else gets it), the claim names
 * the volume, the claim's status follows. Each can be the last before a crash: the next look goes on from there.
 */
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { compareQuantities } from '../../schemas/quantity.ts';
import { isMeantFor, matchVolume, whyNotFor } from '../../schemas/volumes/match-volume.ts';
import { defaultClassOf, leavesClassOpen, storageClassOf } from '../../schemas/volumes/storage-class-of.ts';
import { bindCompleted, claimProtection, localPathProvisioner, noProvisioner, provisionedBy, selectedNode, storageProvisioner } from '../../schemas/volumes/volume-words.ts';

export interface ClaimState {
  readonly claim: PersistentVolumeClaim;
  /** Free volumes of the claim's class, and volumes that name the claim. */
  readonly candidates: readonly PersistentVolume[];
  /** The volume that the claim names; undefined where there is none. */
  readonly named: PersistentVolume | undefined;
  readonly classes: readonly StorageClass[];
  /** Whether a pod that has a node uses the claim. */
  readonly isUsed: boolean;
  /** The node of such a pod that is to stay there. */
  readonly consumerNode: string | undefined;
  /** Name of a pod that uses the claim and has no node yet. */
  readonly unplacedPod: string | undefined;
}

export interface Told {
  readonly do: 'tell';
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export type ClaimStep =
  | Told
  /** Makes the volume name the claim. */
  | { readonly do: 'reserve'; readonly volume: PersistentVolume }
  | { readonly do: 'name-volume'; readonly volume: PersistentVolume }
  | { readonly do: 'show-bound'; readonly volume: PersistentVolume }
  | { readonly do: 'phase'; readonly phase: 'Pending' | 'Lost' }
  | { readonly do: 'set-class'; readonly className: string }
  /** Says in the scheduler's place where the volume has to be. */
  | { readonly do: 'select-node'; readonly nodeName: string }
  | { readonly do: 'ask-provisioner'; readonly provisioner: string }
  | { readonly do: 'protect' | 'unprotect' };

const tell = (type: Told['type'], reason: string, message: string): Told => ({ do: 'tell', type, reason, message });

const isAnnotated = ({ metadata }: PersistentVolumeClaim, name: string): boolean => metadata.annotations?.[name] !== undefined;

/** The steps for a claim, in their order; none when it is settled. What is told is told again at each look. */
export const planClaim = (state: ClaimState): readonly ClaimStep[] => {
  const { claim, isUsed } = state;
  const isProtected = claim.metadata.finalizers?.includes(claimProtection) === true;
  if (claim.metadata.deletionTimestamp !== undefined) return isProtected && !isUsed ? [{ do: 'unprotect' }] : [];
  const steps = isAnnotated(claim, bindCompleted) ? ofBound(state) : ofUnbound(state);
  return isProtected ? steps : [{ do: 'protect' }, ...steps];
};

const phase = ({ status }: PersistentVolumeClaim, wanted: 'Pending' | 'Lost'): readonly ClaimStep[] => (status?.phase === wanted ? [] : [{ do: 'phase', phase: wanted }]);

const bound = (claim: PersistentVolumeClaim, volume: PersistentVolume): readonly ClaimStep[] => {
  const { claimRef, accessModes } = volume.spec;
  const steps: ClaimStep[] = [];
  if (claimRef?.uid !== claim.metadata.uid) steps.push({ do: 'reserve', volume });
  if (claim.spec.volumeName !== volume.metadata.name || !isAnnotated(claim, bindCompleted)) steps.push({ do: 'name-volume', volume });
  if (claim.status?.phase !== 'Bound' || !deepEqual(claim.status.accessModes, accessModes) || claim.status.capacity === undefined) steps.push({ do: 'show-bound', volume });
  return steps;
};

const lost = (claim: PersistentVolumeClaim, reason: string, message: string): readonly ClaimStep[] =>
  (claim.status?.phase === 'Lost' ? [] : [{ do: 'phase', phase: 'Lost' }, tell('Warning', reason, message)]);

const ofBound = ({ claim, named }: ClaimState): readonly ClaimStep[] => {
  if ((claim.spec.volumeName ?? '') === '') return lost(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  if (named === undefined) return lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  if (named.spec.claimRef !== undefined && !isMeantFor(named, claim)) {
    return lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
  }
  const steps = bound(claim, named);
  const has = claim.status?.capacity?.['storage'];
  const wants = claim.spec.resources?.requests?.['storage'];
  // Who makes volumes of a class also makes them larger.
  const waits = steps.length === 0 && has !== undefined && wants !== undefined && compareQuantities(wants, has) > 0 && named.metadata.annotations?.[provisionedBy] !== localPathProvisioner;
  return waits ? [tell('Warning', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')] : steps;
};

const ofUnbound = (state: ClaimState): readonly ClaimStep[] => {
  const { claim, named, candidates, classes } = state;
  const wanted = claim.spec.volumeName ?? '';
  if (wanted === '') {
    const found = matchVolume(claim, { volumes: isLeftToScheduler(claim, classes) ? candidates.filter(({ spec }) => spec.claimRef !== undefined) : candidates });
    return found === undefined ? withoutVolume(state) : bound(claim, found);
  }
  if (named === undefined) return phase(claim, 'Pending');
  if (named.spec.claimRef === undefined) {
    const why = whyNotFor(named, claim);
    return why === undefined ? bound(claim, named) : [...phase(claim, 'Pending'), tell('Warning', 'VolumeMismatch', `Cannot bind to requested volume "${wanted}": ${why}`)];
  }
  if (isMeantFor(named, claim)) return bound(claim, named);
  return [...phase(claim, 'Pending'), tell('Warning', 'FailedBinding', `volume "${wanted}" already bound to a different claim.`)];
};

/** Where the class says so, the scheduler chooses first: a volume that suits the claim may lie where its pod cannot be. */
const isLeftToScheduler = (claim: PersistentVolumeClaim, classes: readonly StorageClass[]): boolean =>
  !isAnnotated(claim, selectedNode) && classes.find(({ metadata }) => metadata.name === storageClassOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';

const withoutVolume = ({ claim, classes, consumerNode, unplacedPod }: ClaimState): readonly ClaimStep[] => {
  const pending = phase(claim, 'Pending');
  if (leavesClassOpen(claim)) {
    const className = defaultClassOf(classes)?.metadata.name;
    if (className !== undefined) return [...pending, { do: 'set-class', className }];
  }
  const name = storageClassOf(claim);
  if (name === '') return [...pending, tell('Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')];
  if (isLeftToScheduler(claim, classes)) {
    // Its pod was placed by its nodeName, or while the scheduler saw another claim of this name: nobody will choose any more.
    if (consumerNode !== undefined) return [...pending, { do: 'select-node', nodeName: consumerNode }];
    return [...pending, unplacedPod === undefined
      ? tell('Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
      : tell('Normal', 'WaitForPodScheduled', `waiting for pod ${unplacedPod} to be scheduled`)];
  }
  const provisioner = classes.find(({ metadata }) => metadata.name === name)?.provisioner;
  if (provisioner === undefined) return [...pending, tell('Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${name}" not found`)];
  if (provisioner === noProvisioner) return [...pending, tell('Warning', 'ProvisioningFailed', `no volume plugin matched name: ${noProvisioner}`)];
  const asked = storageProvisioner.every((annotation) => claim.metadata.annotations?.[annotation] === provisioner);
  return [
    ...pending, ...(asked ? [] : [{ do: 'ask-provisioner', provisioner } as const]),
    ...(provisioner === localPathProvisioner ? [] : [tell('Normal', 'ExternalProvisioning', `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`)]),
  ];
};
