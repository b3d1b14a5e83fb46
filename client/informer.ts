import type { ApiObject, Kind } from '../schemas/kind.ts';
import type { Key } from './client.ts';

/** What happened to one object. The old state of an update may skip states in between. */
export interface Listener<T> {
  added?(object: T): void;
  updated?(object: T, old: T): void;
  deleted?(object: T): void;
}

export interface InformerOptions<T extends ApiObject> {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Named indexes: every object stands under each of the values that its function gives. */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>> | undefined;
}

/**
 * Informer keeps a local copy of the objects of one kind, by a list and a watch that it takes up again after every
 * break. What it holds may be behind the server but never goes back; listeners are called in order, after the copy changed.
 */
export interface Informer<T extends ApiObject> {
  readonly kind: Kind<T>;
  /** True once the first list is in. */
  readonly synced: boolean;
  /** Resolves when synced is true; rejects when the signal aborts first. */
  whenSynced(signal: AbortSignal): Promise<void>;
  get(key: Key): T | undefined;
  list(namespace?: string): readonly T[];
  /** Objects that stand under a value of a named index. */
  by(index: string, value: string): readonly T[];
  /** Adds a listener; what is already held is reported to it as added. The returned function removes it. */
  on(listener: Listener<T>): () => void;
  /** The highest revision that this copy includes. */
  readonly revision: number;
  /** Resolves when the copy includes a revision (its own kind's writes), or the signal aborts. */
  reached(revision: number, signal: AbortSignal): Promise<void>;
  /** Lists and watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}
