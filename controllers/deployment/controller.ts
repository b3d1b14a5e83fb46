import { rfc3339 } from '../../base/clock.ts';
import type { Key } from '../../client/client.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { ApiError, isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { Deployment, type DeploymentStatus } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { controllerOf, controllerReference, isControlledBy } from '../../schemas/owners.ts';
import { updatePolicy } from '../../schemas/rollout-annotations.ts';
import { dependencyKinds, gate, waitMs } from '../dependencies/gate.ts';
import { withWaiting } from '../dependencies/plan.ts';
import { unlessGone } from '../ensure.ts';
import { addController, byController, claim, orphansIn, ownedBy, removeOwner } from '../ownership.ts';
import { behindMs, leavesDoubt } from '../pod-control.ts';
import { isTerminal } from '../pod-state.ts';
import { namespaceEnds } from '../refusals.ts';
import { isRecreate } from './bounds.ts';
import { byConfig, withConfig, type ConfigSource } from './config-hash.ts';
import { planDeployment, type DeploymentPlan, type DeploymentStep } from './plan.ts';
import { createRefused } from './progress.ts';
import { sizeOf } from './sizes.ts';
import { SetWrites } from './set-writes.ts';
import { sameTemplate } from './template-hash.ts';
import type { UpdateStep } from './update-monitor.ts';
import { carryOutUpdateStep, isUpdateStep } from './update-steps.ts';

export const deploymentController = (): Controller<Deployment> => {
  const written = new SetWrites();
  return {
    name: 'deployment-controller',
    reconciles: Deployment,
    indexes: { config: byConfig },
    owns: [ReplicaSet],
    reads: dependencyKinds,
    watches: [
      { kind: ConfigMap, map: readBy },
      { kind: Secret, map: readBy },
      { kind: ReplicaSet, indexes: { controller: byController }, map: (replicaSet: ReplicaSet, context) => (controllerOf(replicaSet) === undefined ? selecting(replicaSet, context) : []) },
      { kind: Pod, indexes: { controller: byController }, map: waitingForPods },
    ],
    reconcile: async (deployment, _key, context) => {
      if (deployment?.spec === undefined) return written.forgetGone(context.informer(Deployment).list());
      if (!await written.areSeen(deployment, context)) return { afterMs: behindMs };
      try {
        return await reconcile(deployment, written, context);
      } catch (error) {
        if (leavesDoubt(error)) written.doubt(deployment);
        throw error;
      }
    },
  };
};

const reconcile = async (deployment: Deployment, written: SetWrites, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
  const replicaSets = await claimed(deployment, context);
  const starts = (deployment.spec.replicas ?? 1) > 0 && deployment.metadata.deletionTimestamp === undefined && replicaSets.every((replicaSet) => sizeOf(replicaSet) === 0);
  const waiting = starts ? gate('Deployment', deployment, context) : undefined;
  const nowMs = context.clock.now();
  const conditions = withWaiting(deployment.status?.conditions, waiting, rfc3339(nowMs));
  if (waiting !== undefined) {
    const { generation } = deployment.metadata;
    await writeStatus(deployment, { ...deployment.status, ...(generation === undefined ? {} : { observedGeneration: generation }), ...(conditions === undefined ? {} : { conditions }) }, context);
    return { afterMs: waitMs };
  }
  const pods = context.informer(Pod);
  const podsOf = (replicaSet: ReplicaSet): readonly Pod[] => pods.by('controller', ownedBy(replicaSet.metadata.uid));
  const started = conditions === deployment.status?.conditions ? deployment : { ...deployment, status: { ...deployment.status, conditions } };
  const plan = planDeployment({
    deployment: withConfig(started, replicaSets, configSource(deployment, context)), replicaSets, podsOf, nowMs,
    hasPods: (replicaSet) => podsOf(replicaSet).some((pod) => !isTerminal(pod)),
  });
  let current = deployment;
  for (const step of plan.steps) {
    if (step.do === 'revision') {
      current = await writeRevision(deployment, step.revision, context);
      continue;
    }
    if (isUpdateStep(step)) {
      // The reason first: once the step is done nobody would know it any more.
      await writeStatus(current, plan.status, context);
      await carryOutUpdateStep(deployment, step, context);
      return undefined;
    }
    const refused = await carryOut(deployment, step, { written, context });
    if (refused === undefined) continue;
    if (refused === 'NamespaceEnds') return undefined;
    await writeStatus(current, createRefused(plan.status, refused.message, context.clock.now()), context);
    throw refused;
  }
  await writeStatus(current, plan.status, context);
  return plan.afterMs === undefined ? undefined : { afterMs: plan.afterMs };
};

const selecting = (replicaSet: ReplicaSet, context: ReconcileContext): readonly Key[] =>
  context.informer(Deployment).list(replicaSet.metadata.namespace)
    .filter((deployment) => labelMatcher(deployment.spec?.selector).matches(replicaSet.metadata.labels)).map(keyOf);

/** Deployments that roll out when this ConfigMap or Secret changes. */
const readBy = ({ kind, metadata }: ConfigMap | Secret, context: ReconcileContext): readonly Key[] =>
  context.informer(Deployment).by('config', `${metadata.namespace}/${kind}/${metadata.name}`).map(keyOf);

const configSource = ({ metadata: { namespace } }: Deployment, context: ReconcileContext): ConfigSource => ({ kind, name }) =>
  (kind === 'ConfigMap' ? context.informer(ConfigMap) : context.informer(Secret)).get({ namespace, name });

/** With Recreate the end of an old pod matters before its ReplicaSet's status shows it; where updates are watched every failure does. */
const waitingForPods = (pod: Pod, context: ReconcileContext): readonly Key[] => {
  const replicaSet = controllerOf(pod);
  if (replicaSet === undefined) return [];
  const owner = context.informer(ReplicaSet).get({ namespace: pod.metadata.namespace, name: replicaSet.name });
  const key = { namespace: pod.metadata.namespace, name: (owner === undefined ? undefined : controllerOf(owner))?.name ?? '' };
  const deployment = context.informer(Deployment).get(key);
  return deployment !== undefined && (isRecreate(deployment) || updatePolicy(deployment.metadata.annotations) !== undefined) ? [key] : [];
};

/** The Deployment's ReplicaSets, after it let go of what it no longer selects and took what it newly does. */
const claimed = async (deployment: Deployment, context: ReconcileContext): Promise<readonly ReplicaSet[]> => {
  const informer = context.informer(ReplicaSet);
  const client = context.client.of(ReplicaSet);
  const uid = deployment.metadata.uid;
  const candidates = [...informer.by('controller', ownedBy(uid)), ...informer.by('controller', orphansIn(deployment.metadata.namespace))];
  const { keep, adopt, release } = claim(deployment, labelMatcher(deployment.spec?.selector), candidates);
  for (const replicaSet of release) await unlessGone(client.modify(keyOf(replicaSet), (draft) => removeOwner(draft, uid), { hint: replicaSet }));
  if (adopt.length === 0) return keep;
  const live = await context.client.of(Deployment).find(keyOf(deployment));
  if (live?.metadata.uid !== uid || live?.metadata.deletionTimestamp !== undefined) {
    throw new ApiError('Conflict', `Deployment ${deployment.metadata.name} is gone or going and may not adopt ReplicaSets`);
  }
  const reference = controllerReference(deployment, Deployment);
  const adopted = await Promise.all(adopt.map((replicaSet) => client.modify(keyOf(replicaSet), (draft) => addController(draft, reference), { hint: replicaSet })));
  return [...keep, ...adopted.filter((replicaSet) => isControlledBy(replicaSet, deployment))];
};

interface Around {
  readonly written: SetWrites;
  readonly context: ReconcileContext;
}

/** Does one step. An error that the Deployment's status must tell of is returned, every other one is thrown. */
const carryOut = async (deployment: Deployment, step: Exclude<DeploymentStep, UpdateStep | { readonly do: 'revision' }>, { written, context }: Around): Promise<Error | 'NamespaceEnds' | undefined> => {
  const client = context.client.of(ReplicaSet);
  switch (step.do) {
    case 'create': return create(deployment, step, { written, context });
    case 'change': {
      const { replicaSet, to } = step;
      written.note(deployment, await client.modify(keyOf(replicaSet), (draft) => {
        // A size holds for the version that it was worked out from: pods that were not available may be by now.
        const isOther = draft.metadata.uid !== replicaSet.metadata.uid || (draft.spec?.replicas ?? 1) !== sizeOf(replicaSet);
        if (isOther || (to.size !== undefined && draft.metadata.resourceVersion !== replicaSet.metadata.resourceVersion)) {
          throw new ApiError('Conflict', `ReplicaSet ${replicaSet.metadata.name} was changed by someone else since the plan was made`);
        }
        if (to.annotations !== undefined) draft.metadata.annotations = { ...draft.metadata.annotations, ...to.annotations };
        if (to.size !== undefined) draft.spec!.replicas = to.size;
        if (to.minReadySeconds !== undefined) draft.spec!.minReadySeconds = to.minReadySeconds;
      }, { hint: replicaSet }));
      if (to.size !== undefined) {
        const [from, direction] = [sizeOf(replicaSet), to.size > sizeOf(replicaSet) ? 'up' : 'down'];
        context.events.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${from} to ${to.size}`);
      }
      return undefined;
    }
    case 'delete':
      await unlessGone(client.delete(keyOf(step.replicaSet), { preconditions: { uid: step.replicaSet.metadata.uid } }));
      return undefined;
  }
};

/**
 * Resolves with the Deployment as it is then, so that its status is not written from an older one. It goes by /status, where
 * an annotation is no new generation.
 */
const writeRevision = (deployment: Deployment, revision: string, context: ReconcileContext): Promise<Deployment> =>
  context.client.of(Deployment).modifyStatus(keyOf(deployment), (draft) => {
    draft.metadata.annotations = { ...draft.metadata.annotations, 'deployment.kubernetes.io/revision': revision };
  }, { hint: deployment });

/**
 * Makes the new ReplicaSet. Its name is taken when this Deployment made it a moment ago (fine, its event comes), or when
 * another template has the same hash: then the collision count is raised and the next look makes another name.
 */
const create = async (deployment: Deployment, step: Extract<DeploymentStep, { do: 'create' }>, { written, context }: Around): Promise<Error | 'NamespaceEnds' | undefined> => {
  try {
    const made = await context.client.of(ReplicaSet).create(step.replicaSet);
    written.note(deployment, made);
    if (step.size > 0) context.events.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${made.metadata.name} from 0 to ${step.size}`);
    return undefined;
  } catch (error) {
    if (namespaceEnds(error)) return 'NamespaceEnds';
    if (!(error instanceof ApiError)) throw error;
    if (error.reason === 'AlreadyExists') {
      const there = await context.client.of(ReplicaSet).find(keyOf(step.replicaSet as ReplicaSet));
      if (there !== undefined && !(isControlledBy(there, deployment) && sameTemplate(there.spec?.template, step.replicaSet.spec?.template))) {
        await context.client.of(Deployment).modifyStatus(keyOf(deployment), (draft) => {
          draft.status = { ...draft.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
        }, { hint: deployment });
      }
      throw new ApiError('Conflict', `the name of ReplicaSet ${step.replicaSet.metadata.name} is taken; looking again`);
    }
    if (!isReason(error, 'Forbidden', 'Invalid', 'BadRequest')) throw error;
    const told = new ApiError(error.reason, `Failed to create new replica set "${step.replicaSet.metadata.name}": ${error.message}`, error.details, { cause: error });
    context.events.event(deployment, 'Warning', 'ReplicaSetCreateError', told.message);
    return told;
  }
};

const writeStatus = async (deployment: Deployment, status: DeploymentPlan['status'], context: ReconcileContext): Promise<void> => {
  if (deepEqual(status, deployment.status)) return;
  await unlessGone(context.client.of(Deployment).modifyStatus(keyOf(deployment), (draft) => {
    if (draft.metadata.uid !== deployment.metadata.uid) return;
    // The collision count only grows, and only its own step raises it.
    const collisionCount = draft.status?.collisionCount;
    draft.status = { ...draftOf<DeploymentStatus>(status), ...(collisionCount === undefined ? {} : { collisionCount }) };
  }, { hint: deployment }));
};
