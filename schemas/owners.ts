import type { ApiObject } from './kind.ts';
import { apiVersionOf } from './kind.ts';
import type { OwnerReference } from './types/object-meta.ts';

/** The owner that manages the object, if one does. */
export const controllerOf = (object: ApiObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true);

/** True when the owner (of just this uid) manages the object. */
export const isControlledBy = (object: ApiObject, owner: ApiObject): boolean => controllerOf(object)?.uid === owner.metadata.uid;

/** True when the owner is one of the object's owners, managing or not. */
export const isOwnedBy = (object: ApiObject, owner: ApiObject): boolean =>
  object.metadata.ownerReferences?.some((one) => one.uid === owner.metadata.uid) === true;

/** The reference by which a stored object owns another. Throws when the owner was never stored and so has no identity. */
export const ownerReference = (owner: ApiObject, kind: { readonly group: string; readonly version: string; readonly kind: string }): OwnerReference => {
  const { name, uid } = owner.metadata;
  if (name === undefined || uid === undefined) throw new Error(`${kind.kind} ${name ?? '(no name)'} has no uid and cannot own anything yet`);
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid };
};

/** The reference of an owner that manages the object, and for which a foreground deletion waits. */
export const controllerReference = (owner: ApiObject, kind: { readonly group: string; readonly version: string; readonly kind: string }): OwnerReference => ({
  ...ownerReference(owner, kind), controller: true, blockOwnerDeletion: true,
});
