/**
 * What becomes of an object when its owners go. An object goes when none of its owners is left; while one stays, the
 * references to the others are only taken out. An owner that is deleted in the foreground waits until the dependents that
 * block it are gone; with «orphan» its dependents lose the reference and stay.
 */
import type { PropagationPolicy } from '../../schemas/api.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import { ownersOf, uidOf, type Item } from './graph.ts';

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

/** How an owner is: there, gone for good, or there but only until its dependents are gone. */
export type OwnerState = 'there' | 'gone' | 'waiting';

export type GarbageStep =
  | { readonly do: 'delete'; readonly item: Item; readonly propagationPolicy: PropagationPolicy }
  /** Takes references to these owners out. */
  | { readonly do: 'disown'; readonly item: Item; readonly uids: readonly string[] }
  /** Lets the item's owners go before it. */
  | { readonly do: 'unblock'; readonly item: Item }
  | { readonly do: 'finish'; readonly item: Item; readonly finalizer: string }
  /** Another item to look at, because this one waits for it. */
  | { readonly do: 'look'; readonly item: Item };

const has = ({ object }: Item, finalizer: string): boolean => object.metadata.finalizers?.includes(finalizer) === true;
export const isGoing = ({ object }: Item): boolean => object.metadata.deletionTimestamp !== undefined;
/** Is being deleted and stays until its dependents are gone. */
export const isWaiting = (item: Item): boolean => isGoing(item) && has(item, foregroundFinalizer);
/** Is being deleted and stays until its dependents are let go. */
export const isOrphaning = (item: Item): boolean => isGoing(item) && has(item, orphanFinalizer);

const blocks = (item: Item, owner: string): boolean => ownersOf(item).some((reference) => reference.uid === owner && reference.blockOwnerDeletion === true);

/** Steps for an object that is being deleted itself; carried out in their order. */
export const planOwner = (item: Item, dependents: readonly Item[]): readonly GarbageStep[] => {
  const uid = uidOf(item);
  if (isOrphaning(item)) {
    return [...dependents.map((dependent): GarbageStep => ({ do: 'disown', item: dependent, uids: [uid] })), { do: 'finish', item, finalizer: orphanFinalizer }];
  }
  if (!isWaiting(item)) return [];
  const looks = dependents.filter((dependent) => !isGoing(dependent)).map((dependent): GarbageStep => ({ do: 'look', item: dependent }));
  return dependents.some((dependent) => blocks(dependent, uid)) ? looks : [...looks, { do: 'finish', item, finalizer: foregroundFinalizer }];
};

/** Steps for an object that has owners and is not being deleted. */
export const planDependent = (item: Item, dependents: readonly Item[], stateOf: (owner: OwnerReference) => OwnerState): readonly GarbageStep[] => {
  const owners = ownersOf(item).map((owner) => ({ owner, state: stateOf(owner) }));
  if (isGoing(item) || owners.length === 0) return [];
  const leaving = owners.filter(({ state }) => state !== 'there');
  if (leaving.length === 0) return [];
  if (leaving.length < owners.length) return [{ do: 'disown', item, uids: leaving.map(({ owner }) => owner.uid) }];
  if (owners.some(({ state }) => state === 'waiting') && dependents.length > 0) {
    // An owner waits for this object, and this object would wait for its own dependents. Should one of those be waiting
    // too, they would wait for each other forever, so this object stops blocking.
    const unblock: readonly GarbageStep[] = dependents.some(isWaiting) ? [{ do: 'unblock', item }] : [];
    return [...unblock, { do: 'delete', item, propagationPolicy: 'Foreground' }];
  }
  const propagationPolicy = has(item, orphanFinalizer) ? 'Orphan' : has(item, foregroundFinalizer) ? 'Foreground' : 'Background';
  return [{ do: 'delete', item, propagationPolicy }];
};
