import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf, revisionOf } from '../../client/key.ts';
import { ApiError, isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { controllerOf, controllerReference } from '../../schemas/owners.ts';
import { unlessGone } from '../ensure.ts';
import { addController, byController, orphansIn, ownedBy, removeOwner } from '../ownership.ts';
import { isActive, isTerminating } from '../pod-state.ts';
import { namespaceEnds } from '../refusals.ts';
import { planReplicaSet, replicaSetStatus, slowStart, type ReplicaFailure } from './plan.ts';

/**
 * What this process wrote for one ReplicaSet and may not see yet. The loop already waits for its own writes, but only for
 * some seconds; making pods on top of a copy that is behind would make too many, so here the wait has no end.
 */
interface OwnWrites {
  /** Revision of the newest pod made. */
  revision: number;
  /** UIDs of pods whose deletion was accepted. */
  readonly leaving: Set<string>;
  /** A write failed in a way that leaves open whether it was done: the server must be asked before the next one. */
  isInDoubt: boolean;
}

/** Another look when the copy of the pods is behind; the pods' own events normally come first. */
const behindMs = 1_000;

export const replicaSetController = (): Controller<ReplicaSet> => {
  const writes = new Map<string, OwnWrites>();

  const reconcile: Controller<ReplicaSet>['reconcile'] = async (replicaSet, _key, context) => {
    if (replicaSet?.spec === undefined) return undefined;
    const uid = replicaSet.metadata.uid ?? '';
    const pods = context.informer(Pod);
    const own = writes.get(uid) ?? { revision: 0, leaving: new Set<string>(), isInDoubt: false };
    if (own.isInDoubt) await settleDoubt(replicaSet, own, context);
    if (pods.revision < own.revision) return { afterMs: behindMs };
    const candidates = [...pods.by('controller', ownedBy(uid)), ...pods.by('controller', orphansIn(replicaSet.metadata.namespace))];
    const unseen = new Set(candidates.filter((pod) => !isTerminating(pod)).map((pod) => pod.metadata.uid ?? ''));
    for (const gone of own.leaving) if (!unseen.has(gone)) own.leaving.delete(gone);
    if (own.leaving.size === 0) writes.delete(uid);

    const plan = planReplicaSet({ replicaSet, candidates, related: relatedPods(replicaSet, context), leaving: own.leaving, nowMs: context.clock.now() });
    if (plan.adopt.length > 0) await mayAdopt(replicaSet, context);
    const client = context.client.of(Pod);
    const reference = controllerReference(replicaSet, ReplicaSet);
    for (const pod of plan.adopt) await client.modify(keyOf(pod), (draft) => sameObject(pod, draft) && addController(draft, reference), { hint: pod });
    for (const pod of plan.release) await unlessGone(client.modify(keyOf(pod), (draft) => removeOwner(draft, uid), { hint: pod }));
    const note = (): OwnWrites => {
      writes.set(uid, own);
      return own;
    };
    const failure = plan.create > 0 ? await create(replicaSet, plan.create, context, note) : await remove(replicaSet, plan.remove, context, note);

    const { status, afterMs } = replicaSetStatus(replicaSet, plan.pods.filter((pod) => !own.leaving.has(pod.metadata.uid ?? '')), failure?.told, context.clock.now());
    if (!deepEqual(status, replicaSet.status)) {
      await unlessGone(context.client.of(ReplicaSet).modifyStatus(keyOf(replicaSet), (draft) => {
        if (draft.metadata.uid === uid) draft.status = draftOf(status);
      }, { hint: replicaSet }));
    }
    if (failure !== undefined) throw failure.error;
    return afterMs === undefined ? undefined : { afterMs };
  };

  return {
    name: 'replicaset-controller',
    reconciles: ReplicaSet,
    indexes: { controller: byController },
    owns: [Pod],
    watches: [{
      kind: Pod, indexes: { controller: byController },
      map: (pod: Pod, context) => (controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined ? selecting(pod, context) : []),
    }],
    reconcile: async (replicaSet, key, context) => {
      if (replicaSet === undefined) forgetGone(writes, context);
      return reconcile(replicaSet, key, context);
    },
  };
};

/** ReplicaSets that would adopt an orphan. */
const selecting = (pod: Pod, context: ReconcileContext) =>
  context.informer(ReplicaSet).list(pod.metadata.namespace)
    .filter((replicaSet) => labelMatcher(replicaSet.spec?.selector).matches(pod.metadata.labels))
    .map(keyOf);

const forgetGone = (writes: Map<string, OwnWrites>, context: ReconcileContext): void => {
  if (writes.size === 0) return;
  const alive = new Set(context.informer(ReplicaSet).list().map((replicaSet) => replicaSet.metadata.uid));
  for (const uid of writes.keys()) if (!alive.has(uid)) writes.delete(uid);
};

const relatedPods = (replicaSet: ReplicaSet, context: ReconcileContext): readonly Pod[] => {
  const owner = controllerOf(replicaSet);
  const siblings = owner === undefined ? [replicaSet] : context.informer(ReplicaSet).by('controller', ownedBy(owner.uid));
  return siblings.flatMap((sibling) => context.informer(Pod).by('controller', ownedBy(sibling.metadata.uid)).filter(isActive));
};

/** Asks the server which pods there are, so that the copy can be waited for, and what it shows too much left out. */
const settleDoubt = async (replicaSet: ReplicaSet, own: OwnWrites, context: ReconcileContext): Promise<void> => {
  const { namespace, uid = '' } = replicaSet.metadata;
  const selector = labelMatcher(replicaSet.spec.selector);
  const { items } = await context.client.of(Pod).list({ namespace, labelSelector: selector.toString() });
  const live = items.filter((pod) => controllerOf(pod)?.uid === uid);
  own.revision = Math.max(own.revision, ...live.map(revisionOf));
  const there = new Set(live.map((pod) => pod.metadata.uid));
  for (const pod of context.informer(Pod).by('controller', ownedBy(uid))) {
    if (selector.matches(pod.metadata.labels) && !there.has(pod.metadata.uid)) own.leaving.add(pod.metadata.uid ?? '');
  }
  own.isInDoubt = false;
};

/** Whether a failed write may have been done all the same: the answer was lost, or the server broke on it. */
const leavesDoubt = (error: unknown): boolean => !(error instanceof ApiError) || error.code >= 500;

/** Adopting for an owner that is gone would give pods to nobody; the copy may be behind, so the server is asked. */
const mayAdopt = async (replicaSet: ReplicaSet, context: ReconcileContext): Promise<void> => {
  const live = await context.client.of(ReplicaSet).find(keyOf(replicaSet));
  if (live?.metadata.uid === replicaSet.metadata.uid && live?.metadata.deletionTimestamp === undefined) return;
  throw new ApiError('Conflict', `ReplicaSet ${replicaSet.metadata.namespace}/${replicaSet.metadata.name} is gone or going and may not adopt pods`);
};

const sameObject = (a: Pod, b: { readonly metadata: { readonly uid?: string | undefined } }): boolean => {
  if (a.metadata.uid === b.metadata.uid) return true;
  throw new ApiError('Conflict', `pod ${a.metadata.name} was made anew in the meantime`);
};

interface Failed {
  readonly told: ReplicaFailure;
  readonly error: unknown;
}

const create = async (replicaSet: ReplicaSet, count: number, context: ReconcileContext, note: () => OwnWrites): Promise<Failed | undefined> => {
  const { template } = replicaSet.spec;
  const { metadata, spec } = template;
  const pod = {
    metadata: {
      generateName: `${replicaSet.metadata.name}-`, namespace: replicaSet.metadata.namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata?.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(replicaSet, ReplicaSet)],
    },
    spec,
  };
  const one = async (): Promise<unknown> => {
    try {
      const made = await context.client.of(Pod).create(pod);
      const own = note();
      own.revision = Math.max(own.revision, revisionOf(made));
      context.events.event(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
      return undefined;
    } catch (error) {
      if (leavesDoubt(error)) note().isInDoubt = true;
      return error;
    }
  };
  for (const size of slowStart(count)) {
    const error = (await Promise.all(Array.from({ length: size }, one))).find((failed) => failed !== undefined);
    if (error === undefined) continue;
    if (context.signal.aborted || namespaceEnds(error)) return undefined;
    const message = error instanceof Error ? error.message : String(error);
    context.events.event(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${message}`);
    return { told: { reason: 'FailedCreate', message }, error };
  }
  return undefined;
};

const remove = async (replicaSet: ReplicaSet, pods: readonly Pod[], context: ReconcileContext, note: () => OwnWrites): Promise<Failed | undefined> => {
  const one = async (pod: Pod): Promise<unknown> => {
    try {
      await context.client.of(Pod).delete(keyOf(pod), { preconditions: { uid: pod.metadata.uid } });
    } catch (error) {
      if (leavesDoubt(error)) note().isInDoubt = true;
      if (!isReason(error, 'NotFound', 'Conflict')) return error;
      if (isReason(error, 'Conflict')) return undefined;
    }
    note().leaving.add(pod.metadata.uid ?? '');
    context.events.event(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    return undefined;
  };
  const error = (await Promise.all(pods.map(one))).find((failed) => failed !== undefined);
  if (error === undefined || context.signal.aborted) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  context.events.event(replicaSet, 'Warning', 'FailedDelete', `Error deleting: ${message}`);
  return { told: { reason: 'FailedDelete', message }, error };
};
