/**
 * The next steps of a Deployment. It owns no pods: it gives ReplicaSets sizes, and looks again when their status changes.
 * Each plan is made from the whole state alone, so that a rollout goes on after a crash at any step, and a template that
 * changes in the middle of a rollout simply makes the newest ReplicaSet of before an old one.
 */
import { rfc3339 } from '../../base/clock.ts';
import type { NewObject } from '../../client/client.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { Deployment, type DeploymentStatus } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { controllerReference } from '../../schemas/owners.ts';
import { annotationNames, updatePolicy } from '../../schemas/rollout-annotations.ts';
import { isRecreate } from './bounds.ts';
import { deploymentStatus, isComplete, pausedProgress, startedProgress, withProgress, withReplicaFailure } from './progress.ts';
import { newReplicaSetAnnotations, newReplicaSetOf, nextRevision, revisionAnnotation, revisionOf, sizeAnnotations, surplus } from './revisions.ts';
import { availableOf, isScaled, newSize, scaledSizes, shrinkOld, sizeOf, type Sizes } from './sizes.ts';
import { templateHash, templateHashLabel } from './template-hash.ts';
import { watchUpdate, type UpdateStep } from './update-monitor.ts';

type Annotations = Readonly<Record<string, string>>;

/** What a ReplicaSet shall be like; what is absent stays. */
interface Wanted {
  readonly size?: number;
  readonly annotations?: Annotations;
  readonly minReadySeconds?: number;
}

/** Steps are carried out in their order. */
export type DeploymentStep =
  | { readonly do: 'create'; readonly replicaSet: NewObject<ReplicaSet>; readonly size: number }
  | { readonly do: 'change'; readonly replicaSet: ReplicaSet; readonly to: Wanted }
  | { readonly do: 'delete'; readonly replicaSet: ReplicaSet }
  | { readonly do: 'revision'; readonly revision: string }
  | UpdateStep;

export interface DeploymentState {
  readonly deployment: Deployment;
  /** All that belong to the Deployment. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Whether a ReplicaSet has pods that have not come to their end, those that are being deleted included. */
  readonly hasPods: (replicaSet: ReplicaSet) => boolean;
  /** The pods of a ReplicaSet; asked for only where updates are watched. */
  readonly podsOf: (replicaSet: ReplicaSet) => readonly Pod[];
  readonly nowMs: number;
}

export interface DeploymentPlan {
  readonly steps: readonly DeploymentStep[];
  readonly status: DeploymentStatus;
  readonly afterMs: number | undefined;
}

export const planDeployment = (state: DeploymentState): DeploymentPlan => {
  const { deployment, replicaSets, podsOf, nowMs } = state;
  const newest = newReplicaSetOf(deployment, replicaSets);
  const olds = replicaSets.filter((replicaSet) => replicaSet !== newest);
  const plan = planSizes(state, newest, olds);
  if (deployment.metadata.deletionTimestamp !== undefined) return plan;
  const { step, status } = watchUpdate({ deployment, newest, olds, podsOf, status: plan.status, nowMs });
  // What is done about a failed update goes before what the update would do next.
  return step === undefined ? { ...plan, status } : { steps: [step], status, afterMs: undefined };
};

const planSizes = (state: DeploymentState, newest: ReplicaSet | undefined, olds: readonly ReplicaSet[]): DeploymentPlan => {
  const { deployment, replicaSets, nowMs } = state;
  const conditions = pausedProgress(deployment, nowMs);
  const plainStatus = (sizes: Sizes): DeploymentStatus => deploymentStatus(deployment, { all: replicaSets, newest, asked: askedWith(replicaSets, sizes) }, conditions, nowMs);
  if (deployment.metadata.deletionTimestamp !== undefined) return { steps: [], status: plainStatus(new Map()), afterMs: undefined };
  const paused = deployment.spec?.paused === true;
  if (paused || isScaled(deployment, replicaSets)) {
    const sizes = scaledSizes(deployment, newest, olds);
    const steps = [
      ...replicaSets.flatMap((one) => changed(one, resized(deployment, one, sizes, one === newest ? newestWanted(deployment, newest, olds, nowMs) : {}))),
      ...revisionStep(deployment, newest, olds), ...(paused ? removals(deployment, olds) : []),
    ];
    return { steps, status: plainStatus(sizes), afterMs: undefined };
  }
  return rollout(state, { newest, olds, recreate: isRecreate(deployment) }, conditions);
};

interface Split {
  readonly newest: ReplicaSet | undefined;
  readonly olds: readonly ReplicaSet[];
  readonly recreate: boolean;
}

const rollout = ({ deployment, replicaSets, hasPods, nowMs }: DeploymentState, { newest, olds, recreate }: Split, conditions: DeploymentStatus['conditions']): DeploymentPlan => {
  // Recreate has two turns: until the old pods are gone the new ReplicaSet is neither made nor made bigger.
  const waits = recreate && olds.some((old) => sizeOf(old) > 0 || (old.status?.replicas ?? 0) > 0 || hasPods(old));
  const current = newest === undefined ? 0 : sizeOf(newest);
  const size = waits ? Math.min(current, deployment.spec?.replicas ?? 1) : newSize(deployment, newest, olds);
  const oldSizes: Sizes = recreate ? new Map(olds.filter((old) => sizeOf(old) > 0).map((old) => [old.metadata.name ?? '', 0]))
    : shrinkOld(deployment, newest === undefined ? 0 : Math.min(size, availableOf(newest)), olds);
  const made = newest === undefined && !waits ? newReplicaSet(deployment, olds, size) : undefined;
  const sizes: Sizes = new Map([...oldSizes, ...(newest === undefined ? [] : [[newest.metadata.name ?? '', size] as const])]);

  const isRenewed = newest !== undefined && revisionOf(newest) < nextRevision(olds) && revisionOf(newest) > 0;
  const name = made?.metadata.name ?? newest?.metadata.name;
  const isUnknown = !(conditions ?? []).some((condition) => condition.type === 'Progressing');
  const started = name !== undefined && (made !== undefined || isRenewed || isUnknown)
    ? startedProgress(deployment, conditions, { name, created: made !== undefined }, nowMs) : conditions;
  const asked = askedWith(replicaSets, sizes) + (made === undefined ? 0 : size);
  const base = deploymentStatus(deployment, { all: replicaSets, newest, asked }, started, nowMs);
  const { status, afterMs } = withProgress(deployment, base, name, nowMs);
  return {
    steps: [
      ...(made === undefined ? [] : [{ do: 'create', replicaSet: made, size } as const]),
      ...(newest === undefined ? [] : changed(newest, resized(deployment, newest, sizes, newestWanted(deployment, newest, olds, nowMs)))),
      ...olds.flatMap((old) => changed(old, resized(deployment, old, sizes))),
      ...revisionStep(deployment, made ?? newest, olds),
      ...(isComplete(deployment, status) ? removals(deployment, olds) : []),
    ],
    status: withReplicaFailure(status, newest === undefined ? olds : [newest, ...olds], nowMs),
    afterMs,
  };
};

const askedWith = (replicaSets: readonly ReplicaSet[], sizes: Sizes): number =>
  replicaSets.reduce((sum, replicaSet) => sum + (sizes.get(replicaSet.metadata.name ?? '') ?? sizeOf(replicaSet)), 0);

/** A ReplicaSet with pods carries the size of the whole, so that a scaling in the middle of a rollout finds its share. */
const resized = (deployment: Deployment, replicaSet: ReplicaSet, sizes: Sizes, wanted: Wanted = {}): Wanted => {
  const size = sizes.get(replicaSet.metadata.name ?? '') ?? sizeOf(replicaSet);
  return { ...wanted, size, annotations: { ...wanted.annotations, ...(size > 0 || sizeOf(replicaSet) > 0 ? sizeAnnotations(deployment) : {}) } };
};

const newestWanted = (deployment: Deployment, newest: ReplicaSet, olds: readonly ReplicaSet[], nowMs: number): Wanted => {
  const revision = nextRevision(olds);
  const returns = revisionOf(newest) > 0 && revisionOf(newest) < revision && updatePolicy(deployment.metadata.annotations) !== undefined;
  return {
    annotations: { ...newReplicaSetAnnotations(deployment, newest, revision), ...(returns ? { [annotationNames.rolledOutAt]: rfc3339(nowMs) } : {}) },
    minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
  };
};

/** The step to what is wanted, when anything differs. */
const changed = (replicaSet: ReplicaSet, wanted: Wanted): readonly DeploymentStep[] => {
  const { annotations = {}, spec } = { annotations: replicaSet.metadata.annotations, spec: replicaSet.spec };
  const all = { ...annotations, ...wanted.annotations };
  const to: Wanted = {
    ...(wanted.size === undefined || wanted.size === sizeOf(replicaSet) ? {} : { size: wanted.size }),
    ...(deepEqual(all, annotations) ? {} : { annotations: all }),
    ...(wanted.minReadySeconds === undefined || wanted.minReadySeconds === (spec?.minReadySeconds ?? 0) ? {} : { minReadySeconds: wanted.minReadySeconds }),
  };
  return Object.keys(to).length === 0 ? [] : [{ do: 'change', replicaSet, to }];
};

const revisionStep = (deployment: Deployment, newest: Pick<ReplicaSet, 'metadata'> | undefined, olds: readonly ReplicaSet[]): readonly DeploymentStep[] => {
  if (newest === undefined) return [];
  const revision = newReplicaSetAnnotations(deployment, newest as ReplicaSet, nextRevision(olds))[revisionAnnotation]!;
  return deployment.metadata.annotations?.[revisionAnnotation] === revision ? [] : [{ do: 'revision', revision }];
};

const removals = (deployment: Deployment, olds: readonly ReplicaSet[]): readonly DeploymentStep[] =>
  surplus(deployment, olds).map((replicaSet) => ({ do: 'delete', replicaSet }));

const newReplicaSet = (deployment: Deployment, olds: readonly ReplicaSet[], size: number): NewObject<ReplicaSet> => {
  const { template, selector, minReadySeconds } = deployment.spec!;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  return {
    metadata: {
      name: `${deployment.metadata.name}-${hash}`, namespace: deployment.metadata.namespace, labels,
      annotations: { ...newReplicaSetAnnotations(deployment, undefined, nextRevision(olds)), ...sizeAnnotations(deployment) },
      ownerReferences: [controllerReference(deployment, Deployment)],
    },
    spec: {
      replicas: size,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
};
