/** What a delete does to an object, as a pure decision. */
import { rfc3339 } from '../../base/clock.ts';
import { ApiError, conflict, invalid, unsupported, wrong } from '../../schemas/errors.ts';
import type { RequestOptions } from '../../schemas/api.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { specFinalizers } from './update.ts';

export type DeleteOptions = Pick<RequestOptions, 'gracePeriodSeconds' | 'propagationPolicy' | 'preconditions'>;

/** The garbage collector deletes the dependents of an object with this finalizer, then takes it away. */
export const foregroundFinalizer = 'foregroundDeletion';
/** The garbage collector takes the object out of its dependents' owners, then takes this finalizer away. */
export const orphanFinalizer = 'orphan';

const policies = ['Background', 'Foreground', 'Orphan'];

/** Throws Invalid for delete options that make no sense. */
export const checkDeleteOptions = ({ propagationPolicy, gracePeriodSeconds }: DeleteOptions): void => {
  const errors = [
    ...(propagationPolicy === undefined || policies.includes(propagationPolicy) ? [] : [unsupported('propagationPolicy', propagationPolicy, policies)]),
    ...(gracePeriodSeconds === undefined || Number.isSafeInteger(gracePeriodSeconds) ? [] : [wrong('gracePeriodSeconds', gracePeriodSeconds, 'must be a whole number of seconds')]),
  ];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
};

/** Throws the 409 when the object is not the one that the client means, or has changed since. */
export const checkPreconditions = (kind: AnyKind, object: ApiObject, { preconditions }: DeleteOptions): void => {
  const { name = '', uid = '', resourceVersion = '' } = object.metadata;
  const failed = (what: string, wanted: string, found: string): ApiError =>
    conflict(kind, name, `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`);
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) throw failed('UID', preconditions.uid, uid);
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) throw failed('ResourceVersion', preconditions.resourceVersion, resourceVersion);
};

/** A kind that the server cleans up behind stays until that is done. */
const withOwnFinalizer = ({ deletionFinalizer }: AnyKind, { metadata }: ApiObject, finalizers: readonly string[]): readonly string[] =>
  (deletionFinalizer === undefined || metadata.deletionTimestamp !== undefined || finalizers.includes(deletionFinalizer) ? finalizers : [...finalizers, deletionFinalizer]);

/** Finalizers after a delete with this policy; without one those of an earlier delete stay. */
const finalizersFor = (object: ApiObject, policy: DeleteOptions['propagationPolicy']): readonly string[] => {
  const { finalizers = [] } = object.metadata;
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((name) => name !== foregroundFinalizer && name !== orphanFinalizer);
  if (policy === 'Foreground') return finalizers.includes(foregroundFinalizer) && others.length === finalizers.length - 1 ? finalizers : [...others, foregroundFinalizer];
  if (policy === 'Orphan') return finalizers.includes(orphanFinalizer) && others.length === finalizers.length - 1 ? finalizers : [...others, orphanFinalizer];
  return others.length === finalizers.length ? finalizers : others;
};

/** True for a pod that no agent has to end: it has no node, or has ended by itself. */
const hasNothingToEnd = (object: ApiObject): boolean => {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1') return false;
  const { spec, status } = object as Pod;
  return (spec.nodeName ?? '') === '' || status?.phase === 'Succeeded' || status?.phase === 'Failed';
};

/** Seconds the object may take; 0 for kinds and states that need none. A wish below 0 means the shortest grace there is. */
const graceOf = (kind: AnyKind, object: ApiObject, wish: number | undefined): number => {
  const usual = kind.defaultGraceSeconds?.(object);
  if (usual === undefined || hasNothingToEnd(object)) return 0;
  const seconds = wish ?? usual;
  return seconds < 0 ? 1 : seconds;
};

export type Deletion =
  | { readonly action: 'remove' }
  | { readonly action: 'keep' }
  /** The object stays a while, with these marks in its metadata. */
  | { readonly action: 'mark'; readonly metadata: ApiObject['metadata'] };

/**
 * Decides what a delete does: the object goes at once, or is marked and waits for its grace period or its finalizers,
 * or is already on its way. An object that is being deleted may be given less time, never more.
 */
export const deletionOf = (kind: AnyKind, object: ApiObject, options: DeleteOptions, nowMs: number): Deletion => {
  checkPreconditions(kind, object, options);
  const { metadata } = object;
  const finalizers = withOwnFinalizer(kind, object, finalizersFor(object, options.propagationPolicy));
  const held = finalizers.length > 0 || specFinalizers(object).length > 0;
  const grace = graceOf(kind, object, options.gracePeriodSeconds);

  if (metadata.deletionTimestamp === undefined) {
    if (grace === 0 && !held) return { action: 'remove' };
    return { action: 'mark', metadata: {
      ...metadata, ...finalizersMember(finalizers), deletionTimestamp: rfc3339(nowMs + grace * 1_000), deletionGracePeriodSeconds: grace,
      ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
    } };
  }
  const before = metadata.deletionGracePeriodSeconds ?? 0;
  const left = options.gracePeriodSeconds === undefined && grace !== 0 ? before : Math.min(before, grace);
  if (left === 0 && !held) return { action: 'remove' };
  if (left === before && finalizers === (metadata.finalizers ?? finalizers)) return { action: 'keep' };
  const dueMs = Date.parse(metadata.deletionTimestamp) - (before - left) * 1_000;
  return { action: 'mark', metadata: { ...metadata, ...finalizersMember(finalizers), deletionTimestamp: rfc3339(dueMs), deletionGracePeriodSeconds: left } };
};

const finalizersMember = (finalizers: readonly string[]): { readonly finalizers: readonly string[] | undefined } => ({ finalizers: finalizers.length === 0 ? undefined : finalizers });
