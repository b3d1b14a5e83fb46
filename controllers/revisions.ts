/**
 * Histories of pod templates as ControllerRevisions, for the workloads that own their pods themselves (StatefulSets and
 * DaemonSets). A revision holds the patch that goes back to its template, which is what `kubectl rollout undo` sends.
 * Going back to an earlier template finds its revision again and gives it the next number.
 */
import type { NewObject } from '../client/client.ts';
import type { ReconcileContext } from '../client/controller.ts';
import { keyOf } from '../client/key.ts';
import { ApiError, isReason } from '../schemas/errors.ts';
import { deepEqual } from '../schemas/frozen.ts';
import type { AnyKind, ApiObject } from '../schemas/kind.ts';
import { ControllerRevision } from '../schemas/kinds/apps/controller-revision.ts';
import { labelMatcher } from '../schemas/label-selector.ts';
import { controllerReference, isControlledBy } from '../schemas/owners.ts';
import type { LabelSelector } from '../schemas/types/label-selector.ts';
import type { PodTemplateSpec } from '../schemas/types/pod-spec.ts';
import { unlessGone } from './ensure.ts';
import { addController, claim, orphansIn, ownedBy, removeOwner } from './ownership.ts';
import { shortHash } from './short-hash.ts';

export const revisionHashLabel = 'controller-revision-hash';

/** A workload that has a history. */
export interface Revised extends ApiObject {
  readonly spec: { readonly selector: LabelSelector; readonly template: PodTemplateSpec; readonly revisionHistoryLimit?: number | undefined };
  readonly status?: { readonly collisionCount?: number | undefined } | undefined;
}

/** The patch that sets a template, as a revision keeps it. */
const dataOf = (template: PodTemplateSpec): object => ({ spec: { template: { ...template, $patch: 'replace' } } });

/** The template that a revision goes back to; undefined for one whose data has another form. */
export const templateOf = ({ data }: Pick<ControllerRevision, 'data'>): PodTemplateSpec | undefined => {
  const found = (data as { readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } } } | undefined)?.spec?.template;
  if (found === undefined) return undefined;
  const { $patch: _, ...template } = found;
  return template;
};

export type RevisionStep =
  | { readonly do: 'create'; readonly revision: NewObject<ControllerRevision> }
  | { readonly do: 'renumber'; readonly revision: ControllerRevision; readonly to: number };

/** The revision of the workload's present template, and what has to be done so that it is the newest; nothing where it is. */
export const planRevision = (owner: Revised, kind: AnyKind, revisions: readonly ControllerRevision[]): { readonly found?: ControllerRevision; readonly step?: RevisionStep } => {
  const data = dataOf(owner.spec.template);
  const highest = Math.max(0, ...revisions.map(({ revision }) => revision));
  const equal = revisions.filter((one) => deepEqual(one.data, data)).sort((a, b) => b.revision - a.revision)[0];
  if (equal !== undefined) return equal.revision === highest ? { found: equal } : { step: { do: 'renumber', revision: equal, to: highest + 1 } };
  const hash = shortHash(data, owner.status?.collisionCount ?? 0);
  return {
    step: { do: 'create', revision: {
      metadata: {
        name: `${owner.metadata.name}-${hash}`, namespace: owner.metadata.namespace, labels: { ...owner.spec.template.metadata?.labels, [revisionHashLabel]: hash },
        ownerReferences: [controllerReference(owner, kind)],
      },
      data, revision: highest + 1,
    } },
  };
};

/** Old revisions beyond the limit, oldest first, but for those in use (by name). */
export const surplusRevisions = ({ spec }: Revised, revisions: readonly ControllerRevision[], inUse: ReadonlySet<string | undefined>): readonly ControllerRevision[] => {
  const idle = revisions.filter(({ metadata }) => !inUse.has(metadata.name)).sort((a, b) => a.revision - b.revision);
  return idle.slice(0, Math.max(0, idle.length - (spec.revisionHistoryLimit ?? 10)));
};

export const hashOf = ({ metadata }: ControllerRevision): string => metadata.labels?.[revisionHashLabel] ?? '';

/** The owner's revisions, after it let go of those that it no longer selects and took orphans that it does. */
export const claimRevisions = async (owner: Revised, kind: AnyKind, context: ReconcileContext): Promise<readonly ControllerRevision[]> => {
  const informer = context.informer(ControllerRevision);
  const client = context.client.of(ControllerRevision);
  const { uid, namespace } = owner.metadata;
  const candidates = [...informer.by('controller', ownedBy(uid)), ...informer.by('controller', orphansIn(namespace))];
  const { keep, adopt, release } = claim(owner, labelMatcher(owner.spec.selector), candidates);
  for (const revision of release) await unlessGone(client.modify(keyOf(revision), (draft) => removeOwner(draft, uid), { hint: revision }));
  if (adopt.length === 0) return keep;
  const live = await context.client.of(kind).find(keyOf(owner));
  if (live?.metadata.uid !== uid || live?.metadata.deletionTimestamp !== undefined) throw new ApiError('Conflict', `${kind.kind} ${owner.metadata.name} is gone or going and may not adopt revisions`);
  const reference = controllerReference(owner, kind);
  const adopted = await Promise.all(adopt.map((revision) => client.modify(keyOf(revision), (draft) => addController(draft, reference), { hint: revision })));
  return [...keep, ...adopted.filter((revision) => isControlledBy(revision, owner))];
};

/** The newest revision, which is that of the present template; made or renumbered where it has to be, together with all. */
export const settleRevisions = async (owner: Revised, kind: AnyKind, context: ReconcileContext): Promise<{ readonly update: ControllerRevision; readonly all: readonly ControllerRevision[] }> => {
  const revisions = await claimRevisions(owner, kind, context);
  const { found, step } = planRevision(owner, kind, revisions);
  if (step === undefined) return { update: found!, all: revisions };
  const client = context.client.of(ControllerRevision);
  if (step.do === 'renumber') {
    const update = await client.modify(keyOf(step.revision), (draft) => void (draft.revision = step.to), { hint: step.revision });
    return { update, all: [...revisions.filter(({ metadata }) => metadata.name !== update.metadata.name), update] };
  }
  try {
    const update = await client.create(step.revision);
    return { update, all: [...revisions, update] };
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    // Either this workload made it a moment ago (fine, its event comes), or another template has the same hash.
    const there = await client.find(keyOf(step.revision as ControllerRevision));
    if (there !== undefined && !(isControlledBy(there, owner) && deepEqual(there.data, step.revision.data))) {
      await context.client.of(kind).modifyStatus(keyOf(owner), (draft) => {
        const { status } = draft as { status?: { collisionCount?: number } };
        (draft as { status?: object }).status = { ...status, collisionCount: (owner.status?.collisionCount ?? 0) + 1 };
      }, { hint: owner });
    }
    throw new ApiError('Conflict', `the name of ControllerRevision ${step.revision.metadata.name} is taken; looking again`);
  }
};

/** Deletes old revisions beyond the workload's limit. */
export const dropSurplus = async (owner: Revised, all: readonly ControllerRevision[], inUse: ReadonlySet<string | undefined>, context: ReconcileContext): Promise<void> => {
  for (const { metadata } of surplusRevisions(owner, all, inUse)) {
    await unlessGone(context.client.of(ControllerRevision).delete({ namespace: metadata.namespace, name: metadata.name! }, { preconditions: { uid: metadata.uid } }));
  }
};
