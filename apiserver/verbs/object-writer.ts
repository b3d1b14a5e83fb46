/**
 * Every write of the API goes through here. A write is a decision about what stands under a key now, carried out as one
 * transaction with checks on the revisions that the decision looked at. When a check fails, somebody else was faster:
 * the cache catches up and the decision is made again, on the new state. So there are no locks in the store, and a verb
 * says only what follows from what.
 *
 * Writers of one key in this process stand in line instead of failing each other's checks.
 */
import { ApiError } from '../../schemas/errors.ts';
import { deepFreeze } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { storedObject } from '../encoding.ts';
import { textOf } from '../shared-parts.ts';
import { CheckFailed, type Check, type Storage, type Write } from '../storage/storage.ts';
import type { WatchCache } from '../watch/watch-cache.ts';

/** What to do with the key. */
export type Decision =
  /** Nothing has to be written; this is the answer. */
  | { readonly action: 'keep'; readonly object: ApiObject }
  /** Stores the object (its resourceVersion is ignored). It is frozen from then on. */
  | { readonly action: 'put'; readonly object: ApiObject }
  /** Removes the key; the object is its last state. */
  | { readonly action: 'remove'; readonly object: ApiObject };

export interface Written {
  readonly action: Decision['action'];
  /** What stands under the key now; what last stood there if it was removed. */
  readonly object: ApiObject;
}

/** Writers of one thing in this process, one after the other. */
class Lines {
  /** The last writer in each line. */
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when everybody before is done; whoever is called back by the returned function is next. */
  async stand(key: string): Promise<() => void> {
    const before = this.#last.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(key, promise);
    await before;
    return () => {
      if (this.#last.get(key) === promise) this.#last.delete(key);
      resolve();
    };
  }
}

/** What one try of a write needs beside its object: other rows that must stand as they were seen, or be reserved. */
export class Attempt {
  readonly checks: Check[] = [];
  readonly writes: Write[] = [];
  readonly #lines: Lines;
  #leave: (() => void)[] | undefined;

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  /**
   * Waits until no other writer of this process stands in a line, and keeps it until the try is over: for rows that many
   * writers change, whose checks would only send each other round again. What was read before is old then. Lines are
   * taken in one order everywhere: that of the object, of budgets, of quotas.
   */
  async standInLine(key: string): Promise<void> {
    const leave = await this.#lines.stand(key);
    (this.#leave ??= []).push(leave);
  }

  /** The try is over: whoever stands behind it goes on. */
  end(): void {
    for (const leave of this.#leave ?? []) leave();
  }

  /** Writes another object in the same transaction, if it still stands as it was seen. */
  put(key: string, seen: ApiObject, object: ApiObject): void {
    this.require(key, Number(seen.metadata.resourceVersion ?? 0));
    const next = withoutRevision(object);
    this.writes.push({ key, value: textOf(next), object: next });
  }

  /** The write is only done if this key still stands at this revision (0: does not exist). */
  require(key: string, revision: number): void {
    this.checks.push({ key, revision });
  }

  /**
   * Makes a row that only one object can have, such as an address. When somebody else has it by the time of the write,
   * the decision is made again, and sees in the cache that it is taken.
   */
  reserve(key: string, holder: string): void {
    this.require(key, 0);
    this.writes.push({ key, value: JSON.stringify({ holder }) });
  }

  /** Gives a reserved row back. Only its holder may do so, in a transaction that checks the holder. */
  release(key: string): void {
    this.writes.push({ key, value: undefined });
  }
}

export type Decide = (current: ApiObject | undefined, attempt: Attempt) => Decision | Promise<Decision>;

export interface WriteOptions {
  /** Everything is decided, nothing is stored. */
  readonly dryRun?: boolean | undefined;
  /** True for a key that is expected to be new: nobody stands in line for it. */
  readonly fresh?: boolean | undefined;
}

/** Keeps account of objects in the transactions that write them: quotas. */
export interface Ledger {
  /**
   * The line of the accounts that a write changes; undefined for one that changes none, which is nearly all of them: it
   * must be quick.
   */
  lineOf(key: string, before: ApiObject | undefined, after: ApiObject | undefined): string | undefined;
  /** Adds the changed accounts to the transaction. Throws where one of them has no room. */
  enter(key: string, change: { readonly before: ApiObject | undefined; readonly after: ApiObject | undefined }, attempt: Attempt): void;
}

/** Tries of one write. In-process writers wait for each other, so only other servers can use them up. */
const maxAttempts = 100;

export class ObjectWriter {
  readonly #storage: Storage;
  readonly #cache: WatchCache;
  readonly #ledger: Ledger | undefined;
  readonly #lines = new Lines();

  constructor(storage: Storage, cache: WatchCache, ledger?: Ledger) {
    this.#storage = storage;
    this.#cache = cache;
    this.#ledger = ledger;
  }

  /** Decides and writes. Resolves when the write is durable and the cache has it; rejects with what the decision throws. */
  async write(key: string, decide: Decide, { dryRun = false, fresh = false }: WriteOptions = {}): Promise<Written> {
    if (fresh) return this.#write(key, decide, dryRun);
    const leave = await this.#lines.stand(key);
    try {
      return await this.#write(key, decide, dryRun);
    } finally {
      leave();
    }
  }

  async #write(key: string, decide: Decide, dryRun: boolean): Promise<Written> {
    for (let tries = 1; tries <= maxAttempts; tries++) {
      const attempt = new Attempt(this.#lines);
      try {
        return await this.#try(key, decide, { attempt, dryRun });
      } catch (error) {
        if (!(error instanceof CheckFailed)) throw error;
        const expected = attempt.checks.find((check) => check.key === error.key)?.revision ?? 0;
        await this.#seeChange(error.key, expected);
      } finally {
        attempt.end();
      }
    }
    throw new ApiError('Conflict', `${key} was changed by others ${maxAttempts} times while it was being written; please try again`);
  }

  async #try(key: string, decide: Decide, { attempt, dryRun }: { readonly attempt: Attempt; readonly dryRun: boolean }): Promise<Written> {
    const current = this.#cache.get(key);
    attempt.require(key, Number(current?.metadata.resourceVersion ?? 0));
    const decision = await decide(current, attempt);
    if (decision.action === 'keep') return { action: 'keep', object: deepFreeze(decision.object) };
    const after = decision.action === 'put' ? decision.object : undefined;
    const line = this.#ledger?.lineOf(key, current, after);
    if (line !== undefined) {
      if (!dryRun) await attempt.standInLine(line);
      this.#ledger?.enter(key, { before: current, after }, attempt);
    }
    if (dryRun) return { action: decision.action, object: deepFreeze(decision.object) };
    const object = withoutRevision(decision.object);
    const value = after === undefined ? undefined : textOf(object);
    const revision = await this.#storage.commit({
      checks: attempt.checks, writes: [{ key, value, object: value === undefined ? undefined : object }, ...attempt.writes],
    });
    await this.#cache.reached(revision);
    if (value === undefined) return { action: 'remove', object: storedObject(object, revision) };
    const stored = this.#cache.get(key);
    const same = stored?.metadata.resourceVersion === String(revision);
    return { action: 'put', object: same ? stored : storedObject(object, revision, value) };
  }

  /** The store has moved on from what the cache shows of a key; waits until the cache shows it too. */
  async #seeChange(key: string, expected: number): Promise<void> {
    while (this.#cache.revisionOf(key) === expected) await this.#cache.reached(this.#cache.revision + 1);
  }
}

const withoutRevision = (object: ApiObject): ApiObject => {
  if (object.metadata.resourceVersion === undefined) return object;
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};
