/** Revisions: which ReplicaSet stands for the template of now, and the numbers by which `rollout undo` finds the others. */
import { timeMs } from '../../schemas/timestamps.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { maxSurge } from './bounds.ts';
import { sameTemplate } from './template-hash.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas';

/** The Deployment's annotations that say something of itself only and are not copied to its ReplicaSets. */
const ownAnnotations: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration', revisionAnnotation, revisionHistoryAnnotation,
  desiredReplicasAnnotation, maxReplicasAnnotation, 'deprecated.deployment.rollback.to',
]);

/** Annotations of rollouts.md are the Deployment's alone. */
const ownPrefix = 'barge.dev/';

/** Longest text of earlier revisions that is kept; the oldest go first. */
const maxHistoryLength = 2000;

type Annotations = Readonly<Record<string, string>>;

/** A number written in an annotation; undefined when there is none. */
export const numberIn = (annotations: Annotations | undefined, key: string): number | undefined => {
  const text = annotations?.[key];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};

export const revisionOf = (replicaSet: ReplicaSet): number => numberIn(replicaSet.metadata.annotations, revisionAnnotation) ?? 0;

export const createdMs = (replicaSet: ReplicaSet): number => timeMs(replicaSet.metadata.creationTimestamp) ?? 0;

/** Oldest first; ReplicaSets of one second by name. */
export const byAge = (a: ReplicaSet, b: ReplicaSet): number =>
  createdMs(a) - createdMs(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

/** The ReplicaSet that has the Deployment's template; the oldest, should there be several. */
export const newReplicaSetOf = (deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined =>
  replicaSets.toSorted(byAge).find((replicaSet) => sameTemplate(replicaSet.spec?.template, deployment.spec?.template));

/** The number that the newest template gets. */
export const nextRevision = (oldReplicaSets: readonly ReplicaSet[]): number => Math.max(0, ...oldReplicaSets.map(revisionOf)) + 1;

/** What a ReplicaSet must know for a later proportional scaling: how big the Deployment was when this one got its size. */
export const sizeAnnotations = (deployment: Deployment): Annotations => {
  const replicas = deployment.spec?.replicas ?? 1;
  return { [desiredReplicasAnnotation]: String(replicas), [maxReplicasAnnotation]: String(replicas + maxSurge(deployment)) };
};

const historyWith = (history: string | undefined, revision: string): string => {
  const revisions = [...(history ?? '').split(',').filter((one) => one !== ''), revision];
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift();
  return revisions.join(',');
};

/** Annotations of the new ReplicaSet: the Deployment's, and its revision, which is raised to `revision` but never lowered. */
export const newReplicaSetAnnotations = (deployment: Deployment, replicaSet: ReplicaSet | undefined, revision: number): Annotations => {
  const copied = Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key) && !key.startsWith(ownPrefix)));
  const annotations = { ...replicaSet?.metadata.annotations, ...copied };
  const old = numberIn(annotations, revisionAnnotation);
  if (old !== undefined && old >= revision) return annotations;
  return {
    ...annotations, [revisionAnnotation]: String(revision),
    ...(old === undefined ? {} : { [revisionHistoryAnnotation]: historyWith(annotations[revisionHistoryAnnotation], String(old)) }),
  };
};

/** Old ReplicaSets beyond revisionHistoryLimit that have no pods and whose state is known: lowest revisions first. */
export const surplus = (deployment: Deployment, oldReplicaSets: readonly ReplicaSet[]): readonly ReplicaSet[] => {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const alive = oldReplicaSets.filter((replicaSet) => replicaSet.metadata.deletionTimestamp === undefined);
  const over = alive.length - limit;
  if (over <= 0) return [];
  return alive.toSorted((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b)).slice(0, over).filter(({ spec, status, metadata }) =>
    spec?.replicas === 0 && (status?.replicas ?? 0) === 0 && (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0));
};
