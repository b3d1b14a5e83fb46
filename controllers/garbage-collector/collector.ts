/**
 * The garbage collector keeps the graph of owners over all kinds from their informers, and looks at an object when it
 * comes, when its owners change, and when one of them goes. Most looks end in the graph; that an owner is gone is only
 * believed when the server says so, for a copy may be behind, and what is deleted is named by UID and revision.
 */
import type { Surroundings } from '../../base/component.ts';
import { createClient, type Client, type Key } from '../../client/client.ts';
import { boundTransport } from '../../client/bound-transport.ts';
import type { Informer } from '../../client/informer.ts';
import type { Informers } from '../../client/informers.ts';
import { keyOf } from '../../client/key.ts';
import { countQueue } from '../../client/work-queue-metrics.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { apiVersionOf, type AnyKind, type ApiObject, type Kind } from '../../schemas/kind.ts';
import type { GrowingRegistry, Registry } from '../../schemas/registry.ts';
import type { CustomResourceDefinition } from '../../schemas/types/custom-resource-definition.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import { unlessGone } from '../ensure.ts';
import { distinctKinds } from '../kinds.ts';
import { removeOwner } from '../ownership.ts';
import { OwnerGraph, ownersOf, uidOf, type Item } from './graph.ts';
import { isGoing, isOrphaning, isWaiting, planDependent, planOwner, type GarbageStep, type OwnerState } from './plan.ts';

const workers = 8;
/** UIDs of owners that the server said are gone. They never come back, so remembering too few only costs a request. */
const maxGone = 1_000;

const idOf = ({ group, kind }: AnyKind): string => `${group}/${kind}`;
const addressOf = (kind: AnyKind): string => `${apiVersionOf(kind)}/${kind.plural}`;

export interface GarbageCollectorOptions {
  readonly surroundings: Surroundings;
  readonly informers: Informers;
  /** Kinds that come and go in it are followed. */
  readonly registry: Registry & Pick<GrowingRegistry, 'onChange'>;
  /** What is defined now, whether it is served or not. */
  readonly definitions: Pick<Informer<CustomResourceDefinition>, 'get'>;
}

export class GarbageCollector {
  readonly #surroundings: Surroundings;
  readonly #informers: Informers;
  readonly #registry: GarbageCollectorOptions['registry'];
  readonly #definitions: GarbageCollectorOptions['definitions'];
  readonly #graph = new OwnerGraph();
  readonly #queue: WorkQueue;
  /** By group and kind; those that went stay, so that what they owned can be seen to be gone. */
  readonly #kinds = new Map<string, AnyKind>();
  /** How to stop listening, by the kind that is listened to. */
  readonly #heard = new Map<AnyKind, () => void>();
  readonly #gone = new Set<string>();

  /** Asks for the informers of all kinds; they must run for `run` to begin its work. */
  constructor({ surroundings, informers, registry, definitions }: GarbageCollectorOptions) {
    this.#surroundings = { ...surroundings, log: surroundings.log.with({ controller: 'garbage-collector' }) };
    this.#informers = informers;
    this.#registry = registry;
    this.#definitions = definitions;
    this.#queue = new WorkQueue(surroundings);
    if (surroundings.metrics !== undefined) countQueue(surroundings.metrics, 'garbage-collector', this.#queue);
    this.#followKinds();
  }

  /** Works until the signal aborts; calls ready when the graph is whole. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const client = createClient(boundTransport(this.#surroundings.transport, signal));
    const stop = (): void => this.#queue.shutDown();
    signal.addEventListener('abort', stop, { once: true });
    const unfollow = this.#registry.onChange(() => this.#followKinds());
    this.#followKinds();
    if (signal.aborted) stop();
    try {
      await Promise.all([...this.#kinds.values()].map((kind) => this.#informers.informer(kind).whenSynced(signal)));
      const running = Array.from({ length: workers }, () => this.#work(client, signal));
      ready();
      await Promise.all(running);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      unfollow();
      for (const off of this.#heard.values()) off();
      stop();
    }
  }

  /** Listens to all kinds that there are now. Events own nothing and are owned by nobody, and there are many of them. */
  #followKinds(): void {
    const wanted = new Map(distinctKinds(this.#registry).filter(({ kind }) => kind !== 'Event').map((kind) => [addressOf(kind), kind]));
    for (const [kind, off] of this.#heard) {
      const now = wanted.get(addressOf(kind));
      if (now !== undefined) {
        // The same address with another schema: its informer goes on.
        wanted.delete(addressOf(kind));
        continue;
      }
      off();
      this.#heard.delete(kind);
      this.#lost(kind);
    }
    for (const kind of wanted.values()) {
      this.#kinds.set(idOf(kind), kind);
      this.#heard.set(kind, this.#informers.informer(kind as Kind<ApiObject>).on({
        added: (object) => this.#changed({ kind, object }, undefined),
        updated: (object, old) => this.#changed({ kind, object }, old),
        deleted: (object) => this.#deleted({ kind, object }),
      }));
    }
  }

  /** A kind is not served any more: its objects are gone with its definition, or are only not to be seen. */
  #lost(kind: AnyKind): void {
    const objects = this.#informers.informer(kind as Kind<ApiObject>).list();
    this.#informers.forget(kind);
    if (this.#definitions.get({ name: kind.custom?.definition ?? '' }) !== undefined) return;
    for (const object of objects) this.#deleted({ kind, object });
  }

  #changed(item: Item, old: ApiObject | undefined): void {
    this.#graph.set(item);
    const { metadata } = item.object;
    const isSameOwners = old !== undefined && (old.metadata.ownerReferences === metadata.ownerReferences || deepEqual(old.metadata.ownerReferences, metadata.ownerReferences));
    if (isWaiting(item) || isOrphaning(item) || (!isSameOwners && ownersOf(item).length > 0)) this.#queue.add(uidOf(item));
    if (old !== undefined && !isSameOwners) this.#wakeWaiting(old);
  }

  #deleted(item: Item): void {
    const uid = uidOf(item);
    this.#graph.delete(uid);
    for (const dependent of this.#graph.dependents(uid)) this.#queue.add(uidOf(dependent));
    this.#wakeWaiting(item.object);
  }

  /** Owners that wait for this object may wait no longer. */
  #wakeWaiting({ metadata }: ApiObject): void {
    for (const { uid } of metadata.ownerReferences ?? []) {
      const owner = this.#graph.get(uid);
      if (owner !== undefined && isWaiting(owner)) this.#queue.add(uid);
    }
  }

  async #work(client: Client, signal: AbortSignal): Promise<void> {
    for (;;) {
      const uid = await this.#queue.take();
      if (uid === undefined) return;
      try {
        await this.#look(uid, client);
        this.#queue.forget(uid);
      } catch (error) {
        if (signal.aborted) return;
        const retryAfterMs = this.#queue.retry(uid);
        if (isReason(error, 'Conflict')) this.#surroundings.log.debug('an object changed while it was looked at', { uid, retryAfterMs });
        else this.#surroundings.log.warn('looking at an object failed', { uid, retryAfterMs, error });
      } finally {
        this.#queue.done(uid);
      }
    }
  }

  async #look(uid: string, client: Client): Promise<void> {
    const item = this.#graph.get(uid);
    if (item === undefined) return;
    const dependents = this.#graph.dependents(uid);
    if (isGoing(item)) {
      for (const step of planOwner(item, dependents)) await this.#carryOut(step, client);
      return;
    }
    const states = new Map<string, OwnerState>();
    for (const owner of ownersOf(item)) states.set(owner.uid, await this.#stateOf(owner, item, client));
    for (const step of planDependent(item, dependents, (owner) => states.get(owner.uid) ?? 'there')) await this.#carryOut(step, client);
  }

  async #stateOf(owner: OwnerReference, item: Item, client: Client): Promise<OwnerState> {
    if (this.#gone.has(owner.uid)) return 'gone';
    const slash = owner.apiVersion.lastIndexOf('/');
    const kind = this.#kinds.get(`${slash < 0 ? '' : owner.apiVersion.slice(0, slash)}/${owner.kind}`);
    const namespace = item.object.metadata.namespace;
    // What is not known is not known to be gone; and an owner in a namespace cannot own what is in none.
    if (kind === undefined || (kind.scope === 'Namespaced' && namespace === undefined)) {
      this.#surroundings.log.warn('an owner reference cannot be followed; the object stays', { owner: `${owner.apiVersion} ${owner.kind} ${owner.name}`, object: item.object.metadata.name, namespace });
      return 'there';
    }
    const key: Key = { namespace: kind.scope === 'Namespaced' ? namespace : undefined, name: owner.name };
    const known = this.#graph.get(owner.uid);
    const isKnown = known?.kind === kind && known.object.metadata.name === owner.name && known.object.metadata.namespace === key.namespace;
    const live = isKnown ? known.object : await client.of(kind as Kind<ApiObject>).find(key);
    if (live?.metadata.uid === owner.uid) return isWaiting({ kind, object: live }) ? 'waiting' : 'there';
    if (this.#gone.size >= maxGone) for (const oldest of this.#gone) { this.#gone.delete(oldest); break; }
    if (known === undefined) this.#gone.add(owner.uid);
    return 'gone';
  }

  async #carryOut(step: GarbageStep, client: Client): Promise<void> {
    const { kind, object } = step.item;
    const { uid, resourceVersion } = object.metadata;
    const objects = client.of(kind as Kind<ApiObject>);
    const key = keyOf(object);
    switch (step.do) {
      case 'look': return this.#queue.add(uidOf(step.item));
      case 'delete':
        this.#surroundings.log.debug('deleting an object whose owners are gone', { kind: `${apiVersionOf(kind)} ${kind.kind}`, ...key, policy: step.propagationPolicy });
        return unlessGone(objects.delete(key, { propagationPolicy: step.propagationPolicy, preconditions: { uid, resourceVersion } }));
      default:
        return unlessGone(objects.modify(key, (draft) => {
          if (draft.metadata.uid !== uid) return;
          if (step.do === 'disown') for (const owner of step.uids) removeOwner(draft, owner);
          else if (step.do === 'unblock') for (const owner of draft.metadata.ownerReferences ?? []) delete owner.blockOwnerDeletion;
          else draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((finalizer) => finalizer !== step.finalizer);
        }, { hint: object }));
    }
  }
}
