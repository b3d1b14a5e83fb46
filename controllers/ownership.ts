import type { Draft } from '../schemas/frozen.ts';
import type { ApiObject } from '../schemas/kind.ts';
import type { LabelMatcher } from '../schemas/label-selector.ts';
import { controllerOf } from '../schemas/owners.ts';
import type { OwnerReference } from '../schemas/types/object-meta.ts';

/** Index value under which objects of a controller, or those of a namespace without one, stand. */
export const ownedBy = (uid: string | undefined): string => `uid/${uid ?? ''}`;
export const orphansIn = (namespace: string | undefined): string => `orphans/${namespace ?? ''}`;

/** Index by managing owner: `ownedBy(uid)`, or `orphansIn(namespace)` where there is none. */
export const byController = (object: ApiObject): readonly string[] => {
  const owner = controllerOf(object);
  return [owner === undefined ? orphansIn(object.metadata.namespace) : ownedBy(owner.uid)];
};

export interface Claim<T> {
  /** Already owned and still selected. */
  readonly keep: readonly T[];
  /** Selected and without an owner: to become owned. */
  readonly adopt: readonly T[];
  /** Owned but no longer selected: to be let go. */
  readonly release: readonly T[];
}

/**
 * Who belongs to an owner: what it owns and selects stays, what it owns but does not select is released, what it selects
 * and nobody owns is adopted. An owner that is being deleted neither adopts nor releases; what is being deleted is not adopted.
 */
export const claim = <T extends ApiObject>(owner: ApiObject, selector: LabelMatcher, candidates: readonly T[]): Claim<T> => {
  const claimed = { keep: [] as T[], adopt: [] as T[], release: [] as T[] };
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    if (object.metadata.namespace !== owner.metadata.namespace) continue;
    const controller = controllerOf(object);
    const selected = selector.matches(object.metadata.labels);
    if (controller === undefined) {
      if (selected && !leaving && object.metadata.deletionTimestamp === undefined) claimed.adopt.push(object);
    } else if (controller.uid === owner.metadata.uid) {
      if (selected) claimed.keep.push(object);
      else if (!leaving && object.metadata.deletionTimestamp === undefined) claimed.release.push(object);
    }
  }
  return claimed;
};

/** Makes the owner manage the draft, unless someone else does by now. */
export const addController = (draft: Draft<ApiObject>, reference: OwnerReference): void => {
  const others = draft.metadata.ownerReferences ?? [];
  if (others.some((owner) => owner.controller === true)) return;
  draft.metadata.ownerReferences = [...others.filter((owner) => owner.uid !== reference.uid), { ...reference }];
};

/** Takes the owner's reference out of the draft. */
export const removeOwner = (draft: Draft<ApiObject>, uid: string | undefined): void => {
  const rest = (draft.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
  if (rest.length > 0) draft.metadata.ownerReferences = rest;
  else delete draft.metadata.ownerReferences;
};
