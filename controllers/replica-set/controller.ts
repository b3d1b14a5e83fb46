import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import type { ApiObject, Kind } from '../../schemas/kind.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { controllerOf } from '../../schemas/owners.ts';
import { unlessGone } from '../ensure.ts';
import { byController, ownedBy } from '../ownership.ts';
import { behindMs, PodControl, podOf } from '../pod-control.ts';
import { isActive } from '../pod-state.ts';
import { planReplicaSet, replicaSetStatus } from './plan.ts';

/** One of the two kinds that keep a number of equal pods. Their objects differ in the form of the selector only. */
interface Form<T extends ApiObject> {
  readonly name: string;
  readonly kind: Kind<T>;
  /** The object as a ReplicaSet; undefined for one that says nothing. */
  readonly asReplicaSet: (object: T) => ReplicaSet | undefined;
}

const controllerOfForm = <T extends ApiObject>({ name, kind, asReplicaSet }: Form<T>): Controller<T> => {
  const control = new PodControl();

  const reconcile = async (object: T, replicaSet: ReplicaSet, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
    const owner = { object, kind, selector: labelMatcher(replicaSet.spec.selector) };
    const seen = await control.look(owner, context);
    if (seen === undefined) return { afterMs: behindMs };
    const plan = planReplicaSet({ replicaSet, ...seen, related: relatedPods(replicaSet, context), nowMs: context.clock.now() });
    await control.adopt(owner, plan.adopt, context);
    await control.release(owner, plan.release, context);
    const pod = podOf(replicaSet.spec.template, owner, { prefix: `${object.metadata.name}-` });
    const failure = plan.create > 0 ? await control.create(owner, Array.from({ length: plan.create }, () => pod), context)
      : await control.remove(owner, plan.remove, context);

    const { status, afterMs } = replicaSetStatus(replicaSet, plan.pods.filter((one) => !seen.leaving.has(one.metadata.uid ?? '')), failure, context.clock.now());
    if (!deepEqual(status, replicaSet.status)) {
      await unlessGone(context.client.of(kind).modifyStatus(keyOf(object), (draft) => {
        if (draft.metadata.uid === object.metadata.uid) (draft as unknown as { status: unknown }).status = draftOf(status);
      }, { hint: object }));
    }
    if (failure !== undefined) throw failure.error;
    const nextMs = Math.min(afterMs ?? Infinity, plan.afterMs ?? Infinity);
    return nextMs === Infinity ? undefined : { afterMs: nextMs };
  };

  /** Owners that would adopt an orphan. */
  const selecting = (pod: Pod, context: ReconcileContext) =>
    context.informer(kind).list(pod.metadata.namespace)
      .filter((object) => labelMatcher(asReplicaSet(object)?.spec.selector).matches(pod.metadata.labels)).map(keyOf);

  /** Pods of this owner and of its siblings, which have the same owner. */
  const relatedPods = (replicaSet: ReplicaSet, context: ReconcileContext): readonly Pod[] => {
    const owner = controllerOf(replicaSet);
    const siblings = owner === undefined ? [replicaSet] : context.informer(kind).by('controller', ownedBy(owner.uid));
    return siblings.flatMap((sibling) => context.informer(Pod).by('controller', ownedBy(sibling.metadata.uid)).filter(isActive));
  };

  return {
    name,
    reconciles: kind,
    indexes: { controller: byController },
    owns: [Pod],
    watches: [{
      kind: Pod, indexes: { controller: byController },
      map: (pod: Pod, context) => (controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined ? selecting(pod, context) : []),
    }],
    reconcile: async (object, _key, context) => {
      if (object === undefined) control.forgetGone(context.informer(kind).list());
      const replicaSet = object === undefined ? undefined : asReplicaSet(object);
      return object === undefined || replicaSet === undefined ? undefined : reconcile(object, replicaSet, context);
    },
  };
};

export const replicaSetController = (): Controller<ReplicaSet> => controllerOfForm({
  name: 'replicaset-controller', kind: ReplicaSet, asReplicaSet: (replicaSet) => (replicaSet.spec === undefined ? undefined : replicaSet),
});

export const replicationControllerController = (): Controller<ReplicationController> => controllerOfForm({
  name: 'replication-controller', kind: ReplicationController,
  asReplicaSet: ({ spec, ...rest }) => (spec === undefined ? undefined : { ...rest, spec: { ...spec, selector: { matchLabels: spec.selector ?? {} } } }),
});
