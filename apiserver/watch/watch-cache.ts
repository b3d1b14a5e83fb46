/**
 * WatchCache is the state of the cluster in memory: every read and every watch is answered from here, and only writes go
 * to the store. It is fed by the store's `changes` alone, so its order is the store's order, whichever store that is.
 *
 * A write costs its place in the sorted collection, one history entry, and one queue entry for each watcher that wants
 * it. A list costs a copy; an event costs one object and one buffer for all its watchers. docs/design/watch.md says more.
 */
import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import type { Registry } from '../../schemas/registry.ts';
import { forgetText, storedObject } from '../encoding.ts';
import { shareFields } from '../patch/apply/shared-fields.ts';
import { shareParts } from '../shared-parts.ts';
import { Compacted, type Change, type Storage } from '../storage/storage.ts';
import { Collection } from './collection.ts';
import { ObjectChange } from './object-change.ts';
import { changeFor, prefixesOf, WatchFanout, type FieldReader, type Interest } from './watch-fanout.ts';
import type { HistoryLimits } from './watch-history.ts';
import { WatchQueue, type Watch } from './watch-queue.ts';
import { RevisionWaiters } from './revision-waiters.ts';

export interface WatchCacheOptions {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  /** Changes remembered for each kind; 10,000 where absent. */
  readonly historyLimit?: number | undefined;
  /** Characters of earlier states remembered for each kind; 16 million where absent. */
  readonly historyCharacters?: number | undefined;
  /** How long a change is remembered at most; 5 minutes where absent, as long as etcd keeps them for Kubernetes. */
  readonly historyMs?: number | undefined;
  /** Events that may wait for one slow reader; 4,096 where absent. */
  readonly queueLimit?: number | undefined;
}

export interface WatchOptions extends Interest {
  /** Only changes after this revision are delivered. */
  readonly after: number;
  /** Called once, when the watch is over, for whatever reason. */
  readonly onEnd?: (() => void) | undefined;
}

/** Hears what an object was before a change (undefined: new) and what it is after it (undefined: gone). */
export type Follower = (before: ApiObject | undefined, after: ApiObject | undefined) => void;

const retryMs = 1_000;

export class WatchCache {
  readonly #options: WatchCacheOptions;
  readonly #limits: HistoryLimits;
  readonly #queueLimit: number;
  readonly #collections = new Map<string, Collection>();
  /** Revisions of the server's own rows, whose keys start with `!`. They hold no objects. */
  readonly #reserved = new Map<string, number>();
  readonly #fanout = new WatchFanout();
  readonly #followers = new Map<string, Follower[]>();
  readonly #waiters = new RevisionWaiters();
  readonly #closing = new AbortController();
  #feeding: Promise<void> = Promise.resolve();
  #revision = 0;
  /** Revision of the load; before it there is no history. */
  #loadedAt = 0;

  private constructor(options: WatchCacheOptions) {
    this.#options = options;
    this.#limits = { count: options.historyLimit ?? 10_000, characters: options.historyCharacters ?? 16 * 2 ** 20, ageMs: options.historyMs ?? 300_000 };
    this.#queueLimit = options.queueLimit ?? 4_096;
  }

  /** Loads everything and follows the store from then on. */
  static async open(options: WatchCacheOptions): Promise<WatchCache> {
    const cache = new WatchCache(options);
    await cache.#load();
    cache.#feeding = cache.#feed();
    return cache;
  }

  /** The revision that the state includes. */
  get revision(): number {
    return this.#revision;
  }

  /** Watches that are open. */
  get watches(): number {
    return this.#fanout.size;
  }

  /** Objects of each resource that has had one. */
  counts(): readonly { readonly group: string; readonly plural: string; readonly count: number }[] {
    return [...this.#collections].map(([name, { size: count }]) => {
      const [group = '', plural = ''] = name.split('/');
      return { group, plural, count };
    });
  }

  get(key: string): ApiObject | undefined {
    return this.#collections.get(prefixesOf(key)[0])?.get(key);
  }

  /** The revision at which a key stands, also for the server's own rows; 0 when it does not exist. */
  revisionOf(key: string): number {
    return this.#reserved.get(key) ?? Number(this.get(key)?.metadata.resourceVersion ?? 0);
  }

  /** Objects under a prefix by key: a collection (`/pods/`), a namespace of it (`/pods/default/`), or one key. */
  list(prefix: string): readonly ApiObject[] {
    const [collection] = prefixesOf(prefix);
    return this.#collections.get(collection)?.list(prefix, prefix === collection) ?? [];
  }

  /** The list exactly as it stood at a revision; throws Compacted when the history does not reach back so far. */
  listAt(prefix: string, revision: number): readonly ApiObject[] {
    if (revision > this.#revision) throw new RangeError(`revision ${revision} is not here yet; wait with reached()`);
    const [name] = prefixesOf(prefix);
    const collection = this.#collections.get(name);
    const floor = collection?.history.floor ?? this.#loadedAt;
    if (revision < floor) throw new Compacted(floor);
    return collection?.listAt(prefix, revision, prefix === name) ?? [];
  }

  /** Objects of a kind whose selectable field has a value, by key. The field is indexed from the first time on. */
  byField(kind: AnyKind, path: string, value: string): readonly ApiObject[] {
    const read = fieldReader(kind, path);
    return this.#collections.get(`${kind.group}/${kind.plural}/`)?.byField(path, value, read) ?? [];
  }

  /**
   * Tells a follower of every object of a collection (`/pods/`) now, and of each change from then on before anybody who
   * waits for its revision goes on: for indexes over the state, which are then never behind it. It must be quick and may
   * not throw.
   */
  follow(collection: string, follower: Follower): void {
    const followers = this.#followers.get(collection);
    if (followers === undefined) this.#followers.set(collection, [follower]);
    else followers.push(follower);
    for (const object of this.list(collection)) follower(undefined, object);
  }

  /** Ends the watches of a collection (`/pods/`), after what is in their queues: what they show is not what it was. */
  endWatches(collection: string): void {
    this.#fanout.endCollection(collection);
  }

  /** Resolves when the state includes a revision; rejects when the cache is closed first. */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    return this.#closing.signal.aborted ? Promise.reject(shuttingDown()) : this.#waiters.wait(revision);
  }

  /** True where other servers write to the store as well, so that the state may be behind what they have answered. */
  get isShared(): boolean {
    return this.#options.storage.newest !== undefined;
  }

  /**
   * The revision that the state must have reached to show every write that any server had answered before this call;
   * undefined where this process makes all of them, for then it does. Rejects with StorageUnavailable.
   */
  newest(): Promise<number> | undefined {
    return this.#options.storage.newest?.();
  }

  /**
   * Every matching change after a revision, exactly once and in order. An object that starts or stops to match is ADDED
   * or DELETED. The watch stands from the moment of this call. It ends when the signal aborts or the cache is closed, and
   * throws Expired when `after` is too far back or the reader fell behind its queue.
   */
  watch(options: WatchOptions, signal: AbortSignal): Watch {
    const [name] = prefixesOf(options.prefix);
    const readField = options.field === undefined ? undefined : fieldReader(this.#kindOf(name), options.field.path);
    const interest = { prefix: options.prefix, field: options.field, matches: options.matches, readField };
    const queue = new WatchQueue({
      after: options.after, limit: this.#queueLimit, published: () => this.#revision,
      onEnd: () => {
        this.#fanout.delete(watcher);
        signal.removeEventListener('abort', abandon);
        options.onEnd?.();
      },
    });
    const watcher = { ...interest, queue };
    const abandon = (): void => queue.abandon();
    if (signal.aborted || this.#closing.signal.aborted) {
      queue.end();
      return queue;
    }
    const history = this.#collections.get(name)?.history;
    const floor = history?.floor ?? this.#loadedAt;
    if (options.after < floor) {
      queue.end(expired(options.after, floor));
      return queue;
    }
    try {
      for (const change of history?.after(options.after) ?? []) {
        if (!covers(options.prefix, change.key)) continue;
        const type = changeFor(change, interest);
        if (type !== undefined) queue.push(change.event(type), change.revision);
      }
    } catch (error) {
      queue.end(error instanceof Error ? error : new Error(String(error)));
      return queue;
    }
    queue.flush();
    signal.addEventListener('abort', abandon, { once: true });
    this.#fanout.add(watcher);
    return queue;
  }

  /** Ends all watches and stops following the store. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#fanout.end();
    this.#waiters.reject(shuttingDown());
    await this.#feeding;
  }

  async #load(): Promise<void> {
    const rows = this.#options.storage.load();
    for (;;) {
      const step = await rows.next();
      if (step.done === true) {
        this.#revision = step.value;
        this.#loadedAt = step.value;
        break;
      }
      for (const row of step.value) {
        if (row.key.startsWith('!')) this.#reserved.set(row.key, row.revision);
        else this.#collection(row.key).put(row.key, storedObject(parsed(row.key, row.value), row.revision));
      }
    }
    // Only now is the revision known below which there is no history.
    for (const collection of this.#collections.values()) collection.history.reset(this.#loadedAt);
  }

  async #feed(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        for await (const changes of this.#options.storage.changes(this.#revision, signal)) {
          this.#take(changes);
          if (signal.aborted) return;
        }
        // Only an abort, of ours or of the store, ends the changes.
        if (!signal.aborted) await sleep(this.#options.clock, retryMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Compacted) await this.#reload(error);
        else {
          this.#options.log.error('cannot follow the store; trying again', { error, revision: this.#revision });
          await sleep(this.#options.clock, retryMs, signal);
        }
      }
    }
  }

  #take(changes: readonly Change[]): void {
    const atMs = this.#options.clock.now();
    for (const change of changes) {
      this.#revision = change.revision;
      if (change.key.startsWith('!')) {
        if (change.type === 'put') this.#reserved.set(change.key, change.revision);
        else this.#reserved.delete(change.key);
        continue;
      }
      const collection = this.#collection(change.key);
      const before = collection.get(change.key);
      const after = change.type === 'put'
        ? storedObject(change.object ?? parsed(change.key, change.value), change.revision, change.value)
        : undefined;
      if (before === undefined && after === undefined) continue;
      const seen = new ObjectChange({ key: change.key, revision: change.revision, atMs, characters: before === undefined ? 0 : change.value.length, before, after });
      if (before !== undefined) forgetText(before);
      collection.apply(seen);
      for (const follow of this.#followers.get(prefixesOf(change.key)[0]) ?? []) follow(before, after);
      this.#fanout.publish(seen);
    }
    this.#fanout.flush();
    this.#waiters.reached(this.#revision);
  }

  /** The store forgot changes that this cache has not seen: all readers must list again, and so must the cache. */
  async #reload(error: Compacted): Promise<void> {
    this.#options.log.warn('fell behind the store; loading everything again', { error, revision: this.#revision });
    this.#fanout.end(expired(this.#revision, error.compactedRevision));
    for (const [name, followers] of this.#followers) for (const object of this.list(name)) for (const follow of followers) follow(object, undefined);
    this.#collections.clear();
    this.#reserved.clear();
    await this.#load();
    for (const [name, followers] of this.#followers) for (const object of this.list(name)) for (const follow of followers) follow(undefined, object);
    this.#waiters.reached(this.#revision);
  }

  #collection(key: string): Collection {
    const [name] = prefixesOf(key);
    let collection = this.#collections.get(name);
    if (collection === undefined) this.#collections.set(name, collection = new Collection(this.#loadedAt, this.#limits));
    return collection;
  }

  #kindOf(collection: string): AnyKind {
    const kind = this.#options.registry.all().find(({ group, plural, storedAs }) => storedAs === undefined && `${group}/${plural}/` === collection);
    if (kind === undefined) throw new Error(`no kind is stored under ${collection}`);
    return kind;
  }
}

const shuttingDown = (): ApiError => new ApiError('ServiceUnavailable', 'the server is shutting down');

const expired = (after: number, floor: number): ApiError => new ApiError('Expired', `too old resource version: ${after} (${floor})`);

const covers = (prefix: string, key: string): boolean => (prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix);

const parsed = (key: string, value: string): ApiObject => {
  try {
    return shareParts(shareFields(JSON.parse(value) as ApiObject));
  } catch (error) {
    throw new Error(`the stored value of ${key} is not JSON`, { cause: error });
  }
};

/** Reads a selectable field; the core has refused fields that are not selectable. */
const fieldReader = (kind: AnyKind, path: string): FieldReader => {
  if (path === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (path === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  const read = kind.fields[path];
  if (read === undefined) throw new Error(`${path} is not a selectable field of ${kind.plural}`);
  return read;
};
