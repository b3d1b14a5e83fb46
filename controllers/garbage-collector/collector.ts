/**
 * The garbage collector keeps the graph of owners over all kinds from their informers, and looks at an object when it
 * comes, when its owners change, and when one of them goes. Most looks end in the graph; that an owner is gone is only
 * believed when the server says so, for a copy may be behind, and what is deleted is named by UID and revision.
 */
import type { Surroundings } from '../../base/component.ts';
import { createClient, type Client, type Key } from '../../client/client.ts';
import { boundTransport } from '../../client/bound-transport.ts';
import type { Informers } from '../../client/informers.ts';
import { keyOf } from '../../client/key.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { apiVersionOf, type AnyKind, type ApiObject, type Kind } from '../../schemas/kind.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import { unlessGone } from '../ensure.ts';
import { distinctKinds } from '../kinds.ts';
import { removeOwner } from '../ownership.ts';
import { OwnerGraph, ownersOf, uidOf, type Item } from './graph.ts';
import { isGoing, isOrphaning, isWaiting, planDependent, planOwner, type GarbageStep, type OwnerState } from './plan.ts';

const workers = 8;
/** Kinds that are defined later are looked for this often: a walk over a list of names. */
const newKindsMs = 10_000;
/** UIDs of owners that the server said are gone. They never come back, so remembering too few only costs a request. */
const maxGone = 1_000;

export interface GarbageCollectorOptions {
  readonly surroundings: Surroundings;
  readonly informers: Informers;
  readonly registry: Registry;
}

export class GarbageCollector {
  readonly #surroundings: Surroundings;
  readonly #informers: Informers;
  readonly #registry: Registry;
  readonly #graph = new OwnerGraph();
  readonly #queue: WorkQueue;
  readonly #kinds = new Map<string, AnyKind>();
  readonly #gone = new Set<string>();
  readonly #unlisten: (() => void)[] = [];
  #cancelLook = (): void => undefined;

  /** Asks for the informers of all kinds; they must run for `run` to begin its work. */
  constructor({ surroundings, informers, registry }: GarbageCollectorOptions) {
    this.#surroundings = { ...surroundings, log: surroundings.log.with({ controller: 'garbage-collector' }) };
    this.#informers = informers;
    this.#registry = registry;
    this.#queue = new WorkQueue(surroundings);
    this.#addKinds();
  }

  /** Works until the signal aborts; calls ready when the graph is whole. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const client = createClient(boundTransport(this.#surroundings.transport, signal));
    const stop = (): void => this.#queue.shutDown();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await Promise.all([...this.#kinds.values()].map((kind) => this.#informers.informer(kind).whenSynced(signal)));
      if (!signal.aborted) this.#lookForKinds();
      const running = Array.from({ length: workers }, () => this.#work(client, signal));
      ready();
      await Promise.all(running);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#cancelLook();
      for (const off of this.#unlisten) off();
      stop();
    }
  }

  /** Events own nothing and are owned by nobody, and there are many of them. */
  #addKinds(): void {
    for (const kind of distinctKinds(this.#registry)) {
      const id = `${kind.group}/${kind.kind}`;
      if (this.#kinds.has(id) || kind.kind === 'Event') continue;
      this.#kinds.set(id, kind);
      this.#unlisten.push(this.#informers.informer(kind as Kind<ApiObject>).on({
        added: (object) => this.#changed({ kind, object }, undefined),
        updated: (object, old) => this.#changed({ kind, object }, old),
        deleted: (object) => this.#deleted({ kind, object }),
      }));
    }
  }

  #lookForKinds(): void {
    this.#cancelLook = this.#surroundings.clock.after(newKindsMs, () => {
      this.#addKinds();
      this.#lookForKinds();
    });
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
