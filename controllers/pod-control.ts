/**
 * Pods of one owner: finding, adopting, making and deleting them, for every controller whose objects own pods.
 *
 * Pods mostly have random names, so making one twice makes two. The controller loop waits for its own writes, but only for
 * some seconds; here the wait has no end: `look` gives nothing while the copy is behind the newest pod that was made, and
 * remembers whose deletion was accepted. A write whose answer was lost may have been done: the server is asked then.
 */
import type { NewObject } from '../client/client.ts';
import type { ReconcileContext } from '../client/controller.ts';
import { keyOf, revisionOf } from '../client/key.ts';
import { ApiError, isReason } from '../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../schemas/kind.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import type { LabelMatcher } from '../schemas/label-selector.ts';
import { controllerOf, controllerReference } from '../schemas/owners.ts';
import type { PodTemplateSpec } from '../schemas/types/pod-spec.ts';
import { unlessGone } from './ensure.ts';
import { addController, orphansIn, ownedBy, removeOwner } from './ownership.ts';
import { isTerminating } from './pod-state.ts';
import { namespaceEnds } from './refusals.ts';

/** What this process wrote for one owner and may not see yet. */
interface OwnWrites {
  /** Revision of the newest pod made. */
  revision: number;
  /** UIDs of pods whose deletion was accepted. */
  readonly leaving: Set<string>;
  /** A write failed in a way that leaves open whether it was done: the server must be asked before the next one. */
  isInDoubt: boolean;
}

/** Another look when the copy of the pods is behind; the pods' own events normally come first. */
export const behindMs = 1_000;

/** Who owns the pods, and by which labels they are its own. */
export interface PodOwner {
  readonly object: ApiObject;
  readonly kind: AnyKind;
  readonly selector: LabelMatcher;
}

export interface SeenPods {
  /** Pods that the owner has and pods of its namespace that nobody owns. */
  readonly candidates: readonly Pod[];
  /** UIDs of pods whose deletion was asked for, though the candidates may not show it yet. */
  readonly leaving: ReadonlySet<string>;
}

/** Why pods could not be made or deleted: in the words of a condition, and the error itself. */
export interface PodFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
  readonly error: unknown;
}

/** Sizes of the groups in which pods are made: 1, 2, 4, ... so that a refusal costs one request and not hundreds. */
export const slowStart = (count: number): readonly number[] => {
  const sizes: number[] = [];
  for (let left = count, size = 1; left > 0; left -= size, size *= 2) sizes.push(Math.min(size, left));
  return sizes;
};

/** A pod of a template for an owner, which manages it. The server makes its name behind the prefix, unless `name` gives one. */
export const podOf = (template: PodTemplateSpec, { object, kind }: Pick<PodOwner, 'object' | 'kind'>, naming: { readonly name: string } | { readonly prefix: string }): NewObject<Pod> => {
  const { metadata, spec } = template;
  return {
    metadata: {
      ...('name' in naming ? { name: naming.name } : { generateName: naming.prefix }), namespace: object.metadata.namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata?.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(object, kind)],
    },
    spec,
  };
};

/** Whether a failed write may have been done all the same: the answer was lost, or the server broke on it. */
export const leavesDoubt = (error: unknown): boolean => !(error instanceof ApiError) || error.code >= 500;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The pods of one controller's objects. One for each controller: it holds what that controller wrote. */
export class PodControl {
  readonly #writes = new Map<string, OwnWrites>();

  /** The owner's pods as they are now; undefined while the copy is behind what was written, to be looked at again in `behindMs`. */
  async look(owner: PodOwner, context: ReconcileContext): Promise<SeenPods | undefined> {
    const { uid = '', namespace } = owner.object.metadata;
    const pods = context.informer(Pod);
    const own = this.#writes.get(uid);
    if (own?.isInDoubt === true) await settleDoubt(owner, own, context);
    if (own !== undefined && pods.revision < own.revision) return undefined;
    const candidates = [...pods.by('controller', ownedBy(uid)), ...pods.by('controller', orphansIn(namespace))];
    if (own !== undefined) {
      const unseen = new Set(candidates.filter((pod) => !isTerminating(pod)).map((pod) => pod.metadata.uid ?? ''));
      for (const gone of own.leaving) if (!unseen.has(gone)) own.leaving.delete(gone);
      if (own.leaving.size === 0) this.#writes.delete(uid);
    }
    return { candidates, leaving: own?.leaving ?? new Set() };
  }

  /** Makes the owner manage pods that nobody owns. Throws Conflict when the owner itself is gone by now. */
  async adopt(owner: PodOwner, pods: readonly Pod[], context: ReconcileContext): Promise<void> {
    if (pods.length === 0) return;
    await mayAdopt(owner, context);
    const reference = controllerReference(owner.object, owner.kind);
    for (const pod of pods) {
      await context.client.of(Pod).modify(keyOf(pod), (draft) => {
        if (draft.metadata.uid !== pod.metadata.uid) throw new ApiError('Conflict', `pod ${pod.metadata.name} was made anew in the meantime`);
        addController(draft, reference);
      }, { hint: pod });
    }
  }

  /** Lets go of pods that the owner no longer selects. */
  async release(owner: PodOwner, pods: readonly Pod[], context: ReconcileContext): Promise<void> {
    for (const pod of pods) await unlessGone(context.client.of(Pod).modify(keyOf(pod), (draft) => removeOwner(draft, owner.object.metadata.uid), { hint: pod }));
  }

  /** Makes pods in growing groups; the first group with a refusal is the last. A namespace that is going is no failure. */
  async create(owner: PodOwner, pods: readonly NewObject<Pod>[], context: ReconcileContext): Promise<PodFailure | undefined> {
    let at = 0;
    for (const size of slowStart(pods.length)) {
      const group = pods.slice(at, at += size);
      const error = (await Promise.all(group.map((pod) => this.#createOne(owner, pod, context)))).find((failed) => failed !== undefined);
      if (error === undefined) continue;
      if (context.signal.aborted || namespaceEnds(error)) return undefined;
      const message = messageOf(error);
      context.events.event(owner.object, 'Warning', 'FailedCreate', `Error creating: ${message}`);
      return { reason: 'FailedCreate', message, error };
    }
    return undefined;
  }

  /** Deletes pods, just these (by UID). One that is gone or was made anew is no failure. */
  async remove(owner: PodOwner, pods: readonly Pod[], context: ReconcileContext): Promise<PodFailure | undefined> {
    const error = (await Promise.all(pods.map((pod) => this.#removeOne(owner, pod, context)))).find((failed) => failed !== undefined);
    if (error === undefined || context.signal.aborted) return undefined;
    const message = messageOf(error);
    context.events.event(owner.object, 'Warning', 'FailedDelete', `Error deleting: ${message}`);
    return { reason: 'FailedDelete', message, error };
  }

  /** Forgets owners that are gone; to be called when one is. */
  forgetGone(owners: readonly ApiObject[]): void {
    if (this.#writes.size === 0) return;
    const alive = new Set(owners.map(({ metadata }) => metadata.uid));
    for (const uid of this.#writes.keys()) if (!alive.has(uid)) this.#writes.delete(uid);
  }

  async #createOne(owner: PodOwner, pod: NewObject<Pod>, context: ReconcileContext): Promise<unknown> {
    try {
      const made = await context.client.of(Pod).create(pod);
      const own = this.#of(owner);
      own.revision = Math.max(own.revision, revisionOf(made));
      context.events.event(owner.object, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
      return undefined;
    } catch (error) {
      if (leavesDoubt(error)) this.#of(owner).isInDoubt = true;
      return error;
    }
  }

  async #removeOne(owner: PodOwner, pod: Pod, context: ReconcileContext): Promise<unknown> {
    try {
      await context.client.of(Pod).delete(keyOf(pod), { preconditions: { uid: pod.metadata.uid } });
    } catch (error) {
      if (leavesDoubt(error)) this.#of(owner).isInDoubt = true;
      if (!isReason(error, 'NotFound', 'Conflict')) return error;
      if (isReason(error, 'Conflict')) return undefined;
    }
    this.#of(owner).leaving.add(pod.metadata.uid ?? '');
    context.events.event(owner.object, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    return undefined;
  }

  #of({ object }: PodOwner): OwnWrites {
    const uid = object.metadata.uid ?? '';
    let own = this.#writes.get(uid);
    if (own === undefined) this.#writes.set(uid, own = { revision: 0, leaving: new Set(), isInDoubt: false });
    return own;
  }
}

/** Asks the server which pods there are, so that the copy can be waited for, and what it shows too much left out. */
const settleDoubt = async ({ object, selector }: PodOwner, own: OwnWrites, context: ReconcileContext): Promise<void> => {
  const { namespace, uid = '' } = object.metadata;
  const { items } = await context.client.of(Pod).list({ namespace, labelSelector: selector.toString() });
  const live = items.filter((pod) => controllerOf(pod)?.uid === uid);
  own.revision = Math.max(own.revision, ...live.map(revisionOf));
  const there = new Set(live.map((pod) => pod.metadata.uid));
  for (const pod of context.informer(Pod).by('controller', ownedBy(uid))) {
    if (selector.matches(pod.metadata.labels) && !there.has(pod.metadata.uid)) own.leaving.add(pod.metadata.uid ?? '');
  }
  own.isInDoubt = false;
};

/** Adopting for an owner that is gone would give pods to nobody; the copy may be behind, so the server is asked. */
const mayAdopt = async ({ object, kind }: PodOwner, context: ReconcileContext): Promise<void> => {
  const live = await context.client.of(kind).find(keyOf(object));
  if (live?.metadata.uid === object.metadata.uid && live?.metadata.deletionTimestamp === undefined) return;
  throw new ApiError('Conflict', `${kind.kind} ${object.metadata.namespace}/${object.metadata.name} is gone or going and may not adopt pods`);
};
