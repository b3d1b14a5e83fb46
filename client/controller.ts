import type { Surroundings } from '../base/component.ts';
import type { ApiObject, Kind } from '../schemas/kind.ts';
import { createClient, type Client, type Key } from './client.ts';
import { ControllerLoop } from './controller-loop.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { Informer, InformerOptions } from './informer.ts';
import { createInformers, type Informers } from './informers.ts';

/** What a reconcile may use. Informers are shared by all controllers of a process. */
export interface ReconcileContext extends Surroundings {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
  /** The informer of a kind that the controller named in reconciles, owns, watches or reads, with the indexes it named there. */
  informer<T extends ApiObject>(kind: Kind<T>): Informer<T>;
}

/** A kind whose changes wake other keys: `map` names the keys to look at again. */
export interface Watched<T extends ApiObject = ApiObject> {
  readonly kind: Kind<T>;
  /** Called for a new, changed (before and after) and deleted object. */
  map(object: T, context: ReconcileContext): readonly Key[];
  /** Indexes that this controller wants on the kind's informer. */
  readonly indexes?: InformerOptions<T>['indexes'];
}

export interface Controller<T extends ApiObject = ApiObject> {
  /** Names the controller in logs and as the source of its events. */
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

// A controller uses its body only as a parameter; any Controller<T> can stand where bodies are not known.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyController = Controller<any>;

/**
 * Runs controllers on shared informers until the signal aborts; calls ready once all informers have their first list and
 * the workers began. `informers` that are given are not run here: the caller runs them.
 */
export const runControllers = async (
  controllers: readonly AnyController[], surroundings: Surroundings, signal: AbortSignal, ready: () => void,
  options: { readonly informers?: Informers } = {},
): Promise<void> => {
  const informers = options.informers ?? createInformers({ ...surroundings, client: createClient(surroundings.transport) });
  // One controller that cannot go on stops the others: half a set of controllers does more harm than none.
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const loops = controllers.map((controller) => new ControllerLoop(controller, surroundings, informers, all));
  let working = 0;
  const started = (): void => {
    if (++working === loops.length) ready();
  };
  const runs = loops.map((loop) => loop.run(started));
  if (options.informers === undefined) runs.push(informers.run(all));
  if (loops.length === 0) ready();
  try {
    await Promise.all(runs);
  } finally {
    stop.abort();
    await Promise.allSettled(runs);
  }
};
