/** Which volume a claim may be bound to. The same for the binder and for the scheduler, which looks for one node at a time. */
import type { PersistentVolumeClaim } from '../kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../kinds/core/persistent-volume.ts';
import { labelMatcher } from '../label-selector.ts';
import { termMatch, type NodeIdentity } from '../node-selector.ts';
import { parseQuantity } from '../quantity.ts';
import { storageClassOf } from './storage-class-of.ts';

const nanoOf = (size: string | undefined): bigint => parseQuantity(size ?? '0')?.nano ?? 0n;

const sizeOf = ({ spec }: PersistentVolume): bigint => nanoOf(spec.capacity?.['storage']);

/** The size that a claim asks for, in billionths of a byte. */
const wishOf = ({ spec }: PersistentVolumeClaim): bigint => nanoOf(spec.resources?.requests?.['storage']);

const modeOf = ({ spec }: { readonly spec: { readonly volumeMode?: string | undefined } }): string => spec.volumeMode ?? 'Filesystem';

/** Whether a volume names the claim: just this one, or any of its name where it names no uid. */
export const isMeantFor = ({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean =>
  claimRef !== undefined && claimRef.name === metadata.name && claimRef.namespace === metadata.namespace
  && ((claimRef.uid ?? '') === '' || claimRef.uid === metadata.uid);

/** Whether a node reaches a volume. */
export const isReachedFrom = ({ spec: { nodeAffinity } }: PersistentVolume, node: NodeIdentity): boolean => {
  const terms = nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => termMatch(term)(node));
};

/** Why a volume that the claim names cannot be bound to it, in Kubernetes' words; undefined: it can. */
export const whyNotFor = (volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined => {
  if (sizeOf(volume) < wishOf(claim)) return 'requested PV is too small';
  if (storageClassOf(volume) !== storageClassOf(claim)) return 'storageClassName does not match';
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode';
  return hasModes(volume, claim) ? undefined : 'incompatible accessMode';
};

const hasModes = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode) === true);

export interface Search {
  /** Volumes to look at; those that cannot be bound are passed over. */
  readonly volumes: Iterable<PersistentVolume>;
  /** The node from which it must be reached; undefined: any. */
  readonly node?: NodeIdentity | undefined;
  /** Names of volumes that are as good as taken. */
  readonly taken?: ReadonlySet<string> | undefined;
}

const byName = (a: PersistentVolume, b: PersistentVolume): boolean => (a.metadata.name ?? '') < (b.metadata.name ?? '');

/**
 * The volume that names the claim, else the smallest free one that fits, the first by name of equals. Undefined: there is
 * none. A volume that names the claim need not be of its class nor fit its selector: somebody chose it.
 */
export const matchVolume = (claim: PersistentVolumeClaim, { volumes, node, taken }: Search): PersistentVolume | undefined => {
  const wish = wishOf(claim);
  const selector = claim.spec.selector === undefined ? undefined : labelMatcher(claim.spec.selector);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    const { metadata, spec, status } = volume;
    if (metadata.deletionTimestamp !== undefined || modeOf(volume) !== modeOf(claim) || sizeOf(volume) < wish || !hasModes(volume, claim)) continue;
    if (isMeantFor(volume, claim)) return node === undefined || isReachedFrom(volume, node) ? volume : undefined;
    if (spec.claimRef !== undefined || status?.phase !== 'Available' || taken?.has(metadata.name ?? '') === true) continue;
    if (storageClassOf(volume) !== storageClassOf(claim)) continue;
    if (selector !== undefined && !selector.matches(metadata.labels)) continue;
    if (node !== undefined && !isReachedFrom(volume, node)) continue;
    if (best === undefined || sizeOf(volume) < sizeOf(best) || (sizeOf(volume) === sizeOf(best) && byName(volume, best))) best = volume;
  }
  return best;
};
