import type { ApiObject, BodyOf } from '../schemas/kind.ts';
import type { Deployment } from '../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../schemas/kinds/apps/replica-set.ts';
import { CommandError } from './command.ts';
import { selectorOf } from './pods-of.ts';
import { at } from './selection.ts';
import type { Session } from './session.ts';

type DeploymentBody = BodyOf<typeof Deployment>;
export type ReplicaSetBody = BodyOf<typeof ReplicaSet>;

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const changeCauseAnnotation = 'kubernetes.io/change-cause';
const templateHashLabel = 'pod-template-hash';
/** Annotations that belong to a ReplicaSet's place in its Deployment and are not rolled back with its template. */
const ownAnnotations: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration', revisionAnnotation, 'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas', 'deployment.kubernetes.io/max-replicas', 'deprecated.deployment.rollback.to',
]);

export interface Revision {
  readonly number: number;
  readonly replicaSet: ReplicaSetBody;
  readonly changeCause: string | undefined;
}

/** The template as it was in the Deployment: without the label that its controller adds. */
export const templateOf = (replicaSet: ReplicaSetBody): Readonly<Record<string, unknown>> => {
  const template = replicaSet.spec.template ?? {};
  const { [templateHashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
};

/** The revisions of a Deployment that its ReplicaSets still hold, oldest first. */
export const revisionsOf = async (session: Session, object: ApiObject, signal: AbortSignal): Promise<readonly Revision[]> => {
  if (object.kind !== 'Deployment') throw new CommandError(`no history viewer has been implemented for ${object.kind}`);
  const replicaSets = (await session.discovery()).named('replicasets.apps');
  const list = await session.api.list(at(replicaSets, object.metadata.namespace), { labelSelector: selectorOf(object) }, signal);
  return (list.items as readonly ReplicaSetBody[])
    .filter((one) => one.metadata.ownerReferences?.some(({ uid, controller }) => uid === object.metadata.uid && controller === true))
    .map((replicaSet) => ({ number: Number(replicaSet.metadata.annotations?.[revisionAnnotation] ?? 0), replicaSet, changeCause: replicaSet.metadata.annotations?.[changeCauseAnnotation] }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
};

/** The revision to go back to: the one asked for, or the one before the newest. */
export const revisionToUndo = (revisions: readonly Revision[], asked: number, name: string | undefined): Revision => {
  if (asked > 0) {
    const found = revisions.find(({ number }) => number === asked);
    if (found === undefined) throw new CommandError(`unable to find specified revision ${asked} in history`);
    return found;
  }
  const before = revisions.at(-2);
  if (before === undefined) throw new CommandError(`no rollout history found for deployment "${name}"`);
  return before;
};

/** The JSON patch that brings a revision's template back; undefined when the Deployment has it already. */
export const undoPatch = (object: ApiObject, { replicaSet }: Revision): readonly unknown[] => {
  const deployment = object as DeploymentBody;
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (ownAnnotations.has(key)) annotations[key] = value;
  for (const [key, value] of Object.entries(replicaSet.metadata.annotations ?? {})) if (!ownAnnotations.has(key)) annotations[key] = value;
  return [
    { op: 'replace', path: '/spec/template', value: templateOf(replicaSet) },
    { op: 'replace', path: '/metadata/annotations', value: annotations },
  ];
};
