/**
 * The informer: list, then watch from the list's revision; after a break watch again from where it was; when that is no
 * longer possible (410) list again and tell listeners the difference.
 *
 * A break may come between two objects of one revision, so the watch is taken up one revision before the last one seen;
 * what comes twice is recognised by the revisions of the objects and dropped.
 */
import { sleep, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { WatchEvent } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import type { ApiObject, Kind } from '../schemas/kind.ts';
import { backoffMs } from './backoff.ts';
import { boundTransport } from './bound-transport.ts';
import { createClient, type Client, type Key, type ResourceClient } from './client.ts';
import { IndexedCache, type IndexFunction } from './indexed-cache.ts';
import type { Informer, InformerOptions, Listener } from './informer.ts';
import { keyOf, keyText, revisionOf } from './key.ts';
import { BrokenOff, warnOfFailure } from './outage.ts';

export interface ListWatchSurroundings {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

type Selection = Omit<InformerOptions<ApiObject>, 'indexes'>;
type Indexes<T extends ApiObject> = NonNullable<InformerOptions<T>['indexes']>;
type Change<T> = readonly [type: 'added' | 'updated' | 'deleted', object: T, old: T | undefined];

/** After an error: 200 ms, doubling to 5 s, and up to half of that more. */
const retry = { firstMs: 200, longestMs: 5_000, jitter: 0.5 } as const;
/** A watch that ends sooner than this without an event counts as a failure, or a broken server would be asked without pause. */
const shortestWatchMs = 1_000;
/** The server is asked to end a watch after 5 to 10 minutes; one that does not is cut this much later (a dead connection). */
const watchSeconds = { least: 300, spread: 300, graceMs: 15_000 } as const;

export class ListWatchInformer<T extends ApiObject> implements Informer<T> {
  readonly kind: Kind<T>;
  readonly #selection: Selection;
  readonly #s: ListWatchSurroundings;
  readonly #log: Log;
  readonly #cache: IndexedCache<T>;
  readonly #listeners = new Set<Listener<T>>();
  readonly #waiting = new Set<{ readonly revision: number; readonly resolve: () => void }>();
  #revision = 0;
  #synced = false;
  #mustList = true;
  /** The watch that runs has delivered something, so that the server works: the next break starts counting anew. */
  #fruitful = false;
  /** 1 when the last revision seen came with an event, and may have more of them; 0 when a list or bookmark closed it. */
  #overlap: 0 | 1 = 0;

  constructor(kind: Kind<T>, selection: Selection, surroundings: ListWatchSurroundings) {
    this.kind = kind;
    this.#selection = selection;
    this.#s = surroundings;
    this.#log = surroundings.log.with({ informer: kind.plural });
    this.#cache = new IndexedCache((error, object) => this.#log.error('an index function failed', { key: keyText(keyOf(object)), error }));
  }

  get synced(): boolean {
    return this.#synced;
  }

  get revision(): number {
    return this.#revision;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#reached(0, signal).then(() => {
      if (!this.#synced) throw new Error(`stopped before the first list of ${this.kind.plural} was in`, { cause: signal.reason });
    });
  }

  get(key: Key): T | undefined {
    return this.#cache.get(keyText(key));
  }

  list(namespace?: string): readonly T[] {
    return this.#cache.list(namespace);
  }

  /** This informer has no indexes of its own: see `view`. */
  by(index: string): never {
    throw new Error(`the informer of ${this.kind.plural} has no index ${index}`);
  }

  /** The same informer with named indexes. Equal functions share one index, equal names do not. */
  view(indexes: Indexes<T>): Informer<T> {
    for (const name in indexes) this.#cache.addIndex(indexes[name] as IndexFunction<T>);
    return new View(this, this.#cache, indexes);
  }

  on(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    if (listener.added !== undefined) for (const object of this.#cache.list()) this.#call(listener, ['added', object, undefined]);
    return () => void this.#listeners.delete(listener);
  }

  reached(revision: number, signal: AbortSignal): Promise<void> {
    return this.#reached(revision, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    const client = createClient(boundTransport(this.#s.client.transport, signal)).of(this.kind);
    for (let failures = 0; !signal.aborted;) {
      const startedMs = this.#s.clock.now();
      this.#fruitful = false;
      try {
        if (this.#mustList) await this.#list(client);
        await this.#watch(client, signal);
        failures = this.#fruitful || this.#s.clock.now() - startedMs >= shortestWatchMs ? 0 : failures + 1;
      } catch (error) {
        if (signal.aborted) return;
        const isBroken = error instanceof BrokenOff;
        failures = this.#fruitful || (isBroken && this.#s.clock.now() - startedMs >= shortestWatchMs) ? 1 : failures + 1;
        if (isReason(error, 'Expired', 'Gone')) {
          this.#mustList = true;
          this.#log.debug('the watch cannot go on; listing again', { revision: this.#revision });
          if (failures === 1) continue;
        } else if (isBroken && failures === 1) {
          // As any watch ends at some time: what matters is whether there is an answer now.
          this.#log.debug('the watch broke off; going on', { revision: this.#revision, error: error.message });
        } else {
          warnOfFailure(this.#log, 'list or watch failed; trying again', { revision: this.#revision, failures, error });
        }
      }
      if (failures > 0) await sleep(this.#s.clock, backoffMs(failures, { ...retry, random: this.#s.random }), signal);
    }
  }

  async #list(client: ResourceClient<T>): Promise<void> {
    const list = await client.list(this.#selection);
    const revision = revisionOf(list);
    if (revision < this.#revision) throw new Error(`the server listed revision ${revision}, which is before ${this.#revision}`);
    const changes: Change<T>[] = [];
    const gone = new Set(this.#cache.keys());
    for (const object of list.items) {
      gone.delete(keyText(keyOf(object)));
      this.#put(object, changes);
    }
    for (const key of gone) this.#drop(key, undefined, changes);
    this.#mustList = false;
    this.#overlap = 0;
    this.#synced = true;
    this.#advance(revision, changes);
  }

  async #watch(client: ResourceClient<T>, signal: AbortSignal): Promise<void> {
    const timeoutSeconds = Math.floor(watchSeconds.least + watchSeconds.spread * this.#s.random());
    const cut = new AbortController();
    const cancel = this.#s.clock.after(timeoutSeconds * 1_000 + watchSeconds.graceMs, () => cut.abort());
    try {
      const options = { ...this.#selection, resourceVersion: String(Math.max(0, this.#revision - this.#overlap)), allowWatchBookmarks: true, timeoutSeconds };
      for await (const events of client.watch(options, AbortSignal.any([signal, cut.signal]))) this.#apply(events);
    } finally {
      cancel();
      // Lets go of the signals that were joined.
      cut.abort();
    }
  }

  #apply(events: readonly WatchEvent<T>[]): void {
    this.#fruitful = true;
    const changes: Change<T>[] = [];
    let revision = this.#revision;
    for (const event of events) {
      const at = revisionOf(event.object);
      if (at > revision || (at === revision && event.type === 'BOOKMARK')) this.#overlap = event.type === 'BOOKMARK' ? 0 : 1;
      if (at < revision) continue;
      revision = at;
      if (event.type === 'DELETED') this.#drop(keyText(keyOf(event.object)), event.object, changes);
      else if (event.type !== 'BOOKMARK') this.#put(event.object, changes);
    }
    this.#advance(revision, changes);
  }

  /** Keeps the object, unless what is held is as new. One that was deleted and made again is reported as both. */
  #put(object: T, changes: Change<T>[]): void {
    const key = keyText(keyOf(object));
    const held = this.#cache.get(key);
    if (held !== undefined && revisionOf(held) >= revisionOf(object)) return;
    this.#cache.set(object);
    if (held === undefined) return void changes.push(['added', object, undefined]);
    if (held.metadata.uid === object.metadata.uid) return void changes.push(['updated', object, held]);
    changes.push(['deleted', held, undefined], ['added', object, undefined]);
  }

  #drop(key: string, last: T | undefined, changes: Change<T>[]): void {
    const held = this.#cache.get(key);
    if (held === undefined || (last !== undefined && revisionOf(held) >= revisionOf(last))) return;
    this.#cache.delete(key);
    changes.push(['deleted', last ?? held, undefined]);
  }

  /** The copy has changed as a whole: says so, then lets those go on who wait for the revision. */
  #advance(revision: number, changes: readonly Change<T>[]): void {
    this.#revision = Math.max(this.#revision, revision);
    for (const change of changes) for (const listener of this.#listeners) this.#call(listener, change);
    for (const waiter of this.#waiting) if (waiter.revision <= this.#revision) waiter.resolve();
  }

  #call(listener: Listener<T>, [type, object, old]: Change<T>): void {
    try {
      if (type === 'updated') listener.updated?.(object, old ?? object);
      else if (type === 'added') listener.added?.(object);
      else listener.deleted?.(object);
    } catch (error) {
      this.#log.error('a listener failed', { type, key: keyText(keyOf(object)), error });
    }
  }

  #reached(revision: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || (this.#synced && this.#revision >= revision)) return resolve();
      const done = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const waiter = { revision, resolve: done };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

class View<T extends ApiObject> implements Informer<T> {
  readonly #base: ListWatchInformer<T>;
  readonly #cache: IndexedCache<T>;
  readonly #indexes: Indexes<T>;

  constructor(base: ListWatchInformer<T>, cache: IndexedCache<T>, indexes: Indexes<T>) {
    this.#base = base;
    this.#cache = cache;
    this.#indexes = indexes;
  }

  get kind(): Kind<T> { return this.#base.kind; }
  get synced(): boolean { return this.#base.synced; }
  get revision(): number { return this.#base.revision; }
  whenSynced(signal: AbortSignal): Promise<void> { return this.#base.whenSynced(signal); }
  get(key: Key): T | undefined { return this.#base.get(key); }
  list(namespace?: string): readonly T[] { return this.#base.list(namespace); }
  on(listener: Listener<T>): () => void { return this.#base.on(listener); }
  reached(revision: number, signal: AbortSignal): Promise<void> { return this.#base.reached(revision, signal); }
  run(signal: AbortSignal): Promise<void> { return this.#base.run(signal); }

  by(index: string, value: string): readonly T[] {
    const indexFunction = this.#indexes[index];
    if (indexFunction === undefined) {
      throw new Error(`the informer of ${this.kind.plural} has no index ${index}; it has: ${Object.keys(this.#indexes).join(', ') || 'none'}`);
    }
    return this.#cache.by(indexFunction, value);
  }
}
