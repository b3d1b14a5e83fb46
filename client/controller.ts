import type { Surroundings } from '../base/component.ts';
import type { Component } from '../base/component.ts';
import type { ApiObject, Kind } from '../schemas/kind.ts';
import type { Client, Key } from './client.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { Informer, InformerOptions } from './informer.ts';

/** What a reconcile may use. Informers are shared by all controllers of a process. */
export interface ReconcileContext extends Surroundings {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
  /** The informer of a kind that the controller named in reconciles, owns, watches or reads. */
  informer<T extends ApiObject>(kind: Kind<T>): Informer<T>;
}

/** A kind whose changes wake other keys: `map` names the keys to look at again. */
export interface Watched<T extends ApiObject = ApiObject> {
  readonly kind: Kind<T>;
  map(object: T, context: ReconcileContext): readonly Key[];
  /** Indexes that this controller wants on the kind's informer. */
  readonly indexes?: InformerOptions<T>['indexes'];
}

export interface Controller<T extends ApiObject = ApiObject> {
  readonly name: string;
  readonly reconciles: Kind<T>;
  readonly indexes?: InformerOptions<T>['indexes'];
  /** Kinds whose objects wake their controller-owner (ownerReferences with controller: true, of the reconciled kind). */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly owns?: readonly Kind<any>[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly watches?: readonly Watched<any>[];
  /** Kinds that reconcile only reads. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly reads?: readonly Kind<any>[];
  /** Keys worked on at a time; 4 where absent. One key is never worked on twice at once. */
  readonly workers?: number;
  /**
   * Looks at the whole state of one key and takes the next step. Undefined object: it is gone. A thrown error is logged
   * (conflicts only at debug) and tried again with backoff; `afterMs` asks for another look.
   *
   * The loop waits, before it runs a key again, until the informers have seen what the key's last reconcile wrote.
   */
  reconcile(object: T | undefined, key: Key, context: ReconcileContext): Promise<{ readonly afterMs: number } | void>;
}

export type ControllerComponent = Component;
