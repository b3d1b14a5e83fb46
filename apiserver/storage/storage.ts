/** Storage keeps every object and the order in which they were written. One suite (test/suites/storage.ts) holds all implementations to this. */

import type { ApiObject } from '../../schemas/kind.ts';

/**
 * A stored value. The key is `<group>/<plural>/<namespace>/<name>` (core group and cluster scope: empty parts), or
 * `!<what>/...` for the server's own rows (address reservations). The value is the object's JSON without its
 * resourceVersion, starting with `{"kind":..,"apiVersion":..,"metadata":{`; the revision is the resourceVersion.
 */
export interface Row {
  readonly key: string;
  readonly revision: number;
  readonly value: string;
}

/** Puts a value, or deletes the key where value is undefined. */
export interface Write {
  readonly key: string;
  readonly value: string | undefined;
  /** The object that value encodes (without resourceVersion), so that this process need not parse it again. */
  readonly object?: ApiObject | undefined;
}

/** One write as it was done. A deletion carries the last value, at the revision of the deletion. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly type: 'put' | 'delete';
  readonly value: string;
  readonly object?: ApiObject | undefined;
  /** Revision of the value that this one replaced; 0 when there was none. */
  readonly previousRevision: number;
}

export interface Check {
  readonly key: string;
  /** The revision at which the key must stand; 0: it must not exist. */
  readonly revision: number;
}

export interface Transaction {
  readonly checks: readonly Check[];
  readonly writes: readonly Write[];
}

/** A check of a transaction failed; nothing of it was written. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
  readonly key: string;
  /** The revision that stands there; 0: nothing. */
  readonly actual: number;
  constructor(key: string, actual: number) {
    super(`check failed: ${key} is at revision ${actual}`);
    this.key = key;
    this.actual = actual;
  }
}

/** The changes asked for were compacted away. */
export class Compacted extends Error {
  override readonly name = 'Compacted';
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super(`compacted up to revision ${compactedRevision}`);
    this.compactedRevision = compactedRevision;
  }
}

/** The store cannot be reached, or cannot write, at the moment. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
  /** `unknown`: no answer came to what was sent; it may have been written, or may still be. */
  readonly written: 'no' | 'unknown';
  constructor(message: string, { written, cause }: { readonly written: 'no' | 'unknown'; readonly cause?: unknown }) {
    super(message, { cause });
    this.written = written;
  }
}

/** The store does not take so much in one transaction; nothing of it was written. */
export class TransactionTooLarge extends Error {
  override readonly name = 'TransactionTooLarge';
}

export interface Storage {
  /** All live rows in batches; the generator's return value is the revision they stand at. */
  load(): AsyncGenerator<readonly Row[], number>;
  /**
   * All checks hold and all writes happen, at one revision, or none does (CheckFailed). Resolves with the revision when
   * it is durable. Of transactions that are under way at once, some order is the order. A store that can no longer write
   * rejects everything from then on, and its `failed` signal aborts; one that cannot at the moment throws StorageUnavailable.
   */
  commit(transaction: Transaction): Promise<number>;
  /** Every change of every server after a revision, oldest first, in batches that never split a revision; throws Compacted. */
  changes(after: number, signal: AbortSignal): AsyncIterable<readonly Change[]>;
  /**
   * The revision of the newest change, whichever server made it. Absent where this process is the only writer: then nobody
   * else can have changed anything.
   */
  newest?(): Promise<number>;
  /** Forgets the changes before a revision; live rows stay. */
  compact(upTo: number): Promise<void>;
  /** Aborts when the store is broken; the process must stop then. */
  readonly failed: AbortSignal;
  close(): Promise<void>;
}
