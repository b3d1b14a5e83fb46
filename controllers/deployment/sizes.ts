/** How many pods each ReplicaSet of a Deployment shall have next. All functions are pure and give only sizes that change. */
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { isRecreate, maxSurge, maxUnavailable } from './bounds.ts';
import { byAge, desiredReplicasAnnotation, maxReplicasAnnotation, numberIn } from './revisions.ts';

/** New sizes by name of the ReplicaSet. */
export type Sizes = ReadonlyMap<string, number>;

export const sizeOf = (replicaSet: ReplicaSet): number => replicaSet.spec?.replicas ?? 1;
const nameOf = (replicaSet: ReplicaSet): string => replicaSet.metadata.name ?? '';
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Whether the status was written for the size of now. One from before says nothing of the pods that a resize took since. */
const isObserved = ({ metadata, status }: ReplicaSet): boolean => (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);

/** Pods that surely serve. */
export const availableOf = (replicaSet: ReplicaSet): number =>
  (isObserved(replicaSet) ? Math.min(sizeOf(replicaSet), replicaSet.status?.availableReplicas ?? 0) : 0);

/** Pods that surely do not serve. */
const unavailableOf = (replicaSet: ReplicaSet): number => (isObserved(replicaSet) ? sizeOf(replicaSet) - availableOf(replicaSet) : 0);

/** Pods that a ReplicaSet may have at most: those it is asked for, and those that it did not delete yet. */
const mostPodsOf = (replicaSet: ReplicaSet): number => (isObserved(replicaSet) ? Math.max(sizeOf(replicaSet), replicaSet.status?.replicas ?? 0) : Infinity);

/**
 * The size at which the new ReplicaSet starts, or to which it may grow. It waits until others have deleted what they were
 * asked to, so that there are never more pods than maxSurge allows, not even for the moment between two controllers.
 */
export const newSize = (deployment: Deployment, newest: ReplicaSet | undefined, olds: readonly ReplicaSet[]): number => {
  const replicas = deployment.spec?.replicas ?? 1;
  const current = newest === undefined ? 0 : sizeOf(newest);
  if (isRecreate(deployment) || current >= replicas) return replicas;
  const room = replicas + maxSurge(deployment) - sum([...olds, ...(newest === undefined ? [] : [newest])].map(mostPodsOf));
  return current + Math.max(0, Math.min(room, replicas - current));
};

/**
 * Sizes of old ReplicaSets in a rolling update. Pods that are not available go first, for they serve nobody and would
 * hold up the update; then available ones, as many as minAvailable allows. Neither takes more than what is left when every
 * pod of the new ReplicaSet but the `available` ones fails.
 */
export const shrinkOld = (deployment: Deployment, available: number, olds: readonly ReplicaSet[]): Sizes => {
  const sizes = new Map<string, number>();
  const oldest = olds.filter((old) => sizeOf(old) > 0).toSorted(byAge);
  const minAvailable = (deployment.spec?.replicas ?? 1) - maxUnavailable(deployment);
  let spare = sum(oldest.map(sizeOf)) + available - minAvailable;
  const left = (old: ReplicaSet): number => sizes.get(nameOf(old)) ?? sizeOf(old);
  const take = (old: ReplicaSet, count: number): void => {
    if (count <= 0) return;
    sizes.set(nameOf(old), left(old) - count);
    spare -= count;
  };
  for (const old of oldest) take(old, Math.min(spare, unavailableOf(old)));
  let serving = sum(oldest.map(availableOf)) + available - minAvailable;
  for (const old of oldest) {
    const count = Math.min(left(old), serving);
    if (count <= 0) continue;
    take(old, count);
    serving -= count;
  }
  return sizes;
};

/** True when a ReplicaSet with pods still carries the size of the Deployment from before it was scaled. */
export const isScaled = (deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean =>
  replicaSets.some((replicaSet) => {
    const desired = numberIn(replicaSet.metadata.annotations, desiredReplicasAnnotation);
    return sizeOf(replicaSet) > 0 && desired !== undefined && desired !== (deployment.spec?.replicas ?? 1);
  });

/** By how much a ReplicaSet grows (or shrinks, negative) when it keeps its share of the Deployment. */
const share = (deployment: Deployment, replicaSet: ReplicaSet): number => {
  const replicas = deployment.spec?.replicas ?? 1;
  const size = sizeOf(replicaSet);
  if (replicas === 0) return -size;
  const before = numberIn(replicaSet.metadata.annotations, maxReplicasAnnotation) || deployment.status?.replicas || 0;
  return before === 0 ? 0 : Math.round((size * (replicas + maxSurge(deployment))) / before) - size;
};

/** True when the new ReplicaSet alone has all the pods that are asked for, and all are available. */
const isSaturated = (deployment: Deployment, replicaSet: ReplicaSet | undefined): boolean => {
  const replicas = deployment.spec?.replicas ?? 1;
  return replicaSet !== undefined && sizeOf(replicaSet) === replicas && availableOf(replicaSet) === replicas
    && numberIn(replicaSet.metadata.annotations, desiredReplicasAnnotation) === replicas;
};

/**
 * Sizes after a change of spec.replicas, or while the Deployment is paused. One ReplicaSet with pods takes the whole
 * change. Several, in the middle of an update, share it in proportion to their sizes, so that the risk of the update stays
 * what it was; what rounding leaves over goes to the biggest.
 */
export const scaledSizes = (deployment: Deployment, replicaSet: ReplicaSet | undefined, olds: readonly ReplicaSet[]): Sizes => {
  const replicas = deployment.spec?.replicas ?? 1;
  const all = replicaSet === undefined ? olds : [...olds, replicaSet];
  const active = all.filter((one) => sizeOf(one) > 0);
  if (active.length < 2) {
    const only = active[0] ?? replicaSet ?? olds.toSorted(byAge).at(-1);
    return only === undefined || sizeOf(only) === replicas ? new Map() : new Map([[nameOf(only), replicas]]);
  }
  if (isSaturated(deployment, replicaSet)) return new Map(active.filter((one) => one !== replicaSet).map((old) => [nameOf(old), 0]));
  if (isRecreate(deployment)) return new Map();
  const change = (replicas > 0 ? replicas + maxSurge(deployment) : 0) - sum(active.map(sizeOf));
  if (change === 0) return new Map();
  // Biggest first; of equals the newer one grows and the older one shrinks.
  const ordered = active.toSorted((a, b) => sizeOf(b) - sizeOf(a) || (change > 0 ? byAge(b, a) : byAge(a, b)));
  let rest = change;
  const sizes = new Map<string, number>();
  for (const one of ordered) {
    const own = share(deployment, one);
    const part = change > 0 ? Math.min(own, rest) : Math.max(own, rest);
    rest -= part;
    sizes.set(nameOf(one), sizeOf(one) + part);
  }
  // What rounding leaves over goes to the biggest; only what that does not have is taken from the next.
  for (const one of ordered) {
    const size = Math.max(0, sizes.get(nameOf(one))! + rest);
    rest -= size - sizes.get(nameOf(one))!;
    sizes.set(nameOf(one), size);
  }
  return new Map([...sizes].filter(([name, size]) => size !== sizeOf(active.find((one) => nameOf(one) === name)!)));
};
