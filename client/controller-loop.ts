/**
 * Runs one controller: informers put keys into a queue, workers take them out and reconcile them.
 *
 * Read your own writes: a reconcile reads caches that lag behind its own writes; run again too early it would make the
 * same pod twice. The loop therefore notes the revision of everything that a reconcile writes, and keeps the key in the
 * queue's working set, without a worker, until the informers of the written kinds have reached it.
 */
import type { Surroundings } from '../base/component.ts';
import { sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { isReason } from '../schemas/errors.ts';
import { apiVersionOf, type AnyKind, type ApiObject, type Kind } from '../schemas/kind.ts';
import { controllerOf } from '../schemas/owners.ts';
import { boundTransport, observedTransport } from './bound-transport.ts';
import { createClient, type Client, type Key } from './client.ts';
import type { Controller, ReconcileContext } from './controller.ts';
import { createEventRecorder } from './event-recorder.ts';
import type { Informer, InformerOptions } from './informer.ts';
import type { Informers } from './informers.ts';
import { keyOf, keyText, parseKeyText } from './key.ts';
import { warnOfFailure } from './outage.ts';
import { OwnWrites, resourceId } from './own-writes.ts';
import type { Histogram } from '../base/metrics/metrics.ts';
import { countQueue } from './work-queue-metrics.ts';
import { WorkQueue } from './work-queue.ts';

const defaultWorkers = 4;
/** A copy that lags this long after a write has lost its watch; the key then goes on with what it sees. */
const ownWritesMs = 10_000;

/** All indexes that a controller wants, per kind. */
const wantedIndexes = (controller: Controller): ReadonlyMap<AnyKind, NonNullable<InformerOptions<ApiObject>['indexes']>> => {
  const wanted = new Map<AnyKind, Record<string, (object: ApiObject) => readonly string[]>>();
  const want = (kind: AnyKind, indexes: InformerOptions<ApiObject>['indexes'] = {}): void => {
    const all = wanted.get(kind) ?? {};
    for (const [name, index] of Object.entries(indexes)) {
      if (all[name] !== undefined && all[name] !== index) throw new Error(`controller ${controller.name} has two indexes ${name} on ${kind.plural}`);
      all[name] = index;
    }
    wanted.set(kind, all);
  };
  want(controller.reconciles, controller.indexes);
  for (const kind of controller.owns ?? []) want(kind);
  for (const { kind, indexes } of controller.watches ?? []) want(kind, indexes);
  for (const kind of controller.reads ?? []) want(kind);
  return wanted;
};

/** The key of the controller-owner of an object, where it is of that kind (in any version). */
export const controllerKey = (object: ApiObject, kind: AnyKind): Key | undefined => {
  const owner = controllerOf(object);
  if (owner === undefined || owner.kind !== kind.kind) return undefined;
  const slash = owner.apiVersion.lastIndexOf('/');
  if ((slash < 0 ? '' : owner.apiVersion.slice(0, slash)) !== kind.group) return undefined;
  return { namespace: kind.scope === 'Namespaced' ? object.metadata.namespace : undefined, name: owner.name };
};

export class ControllerLoop {
  readonly #controller: Controller;
  readonly #surroundings: Surroundings;
  readonly #log: Log;
  readonly #queue: WorkQueue;
  readonly #took: Histogram | undefined;
  readonly #informers = new Map<AnyKind, Informer<ApiObject>>();
  readonly #byResource = new Map<string, Informer<ApiObject>>();
  readonly #context: Omit<ReconcileContext, 'client'>;
  readonly #client: Client;

  /** Asks for the informers; they must run for `run` to begin its work. */
  constructor(controller: Controller, surroundings: Surroundings, informers: Informers, signal: AbortSignal) {
    this.#controller = controller;
    this.#surroundings = surroundings;
    this.#log = surroundings.log.with({ controller: controller.name });
    this.#queue = new WorkQueue(surroundings);
    this.#took = surroundings.metrics === undefined ? undefined : countQueue(surroundings.metrics, controller.name, this.#queue);
    for (const [kind, indexes] of wantedIndexes(controller)) {
      const informer = informers.informer(kind, { indexes });
      this.#informers.set(kind, informer);
      this.#byResource.set(resourceId(kind.group, kind.plural), informer);
    }
    const transport = boundTransport(surroundings.transport, signal);
    this.#client = createClient(transport);
    const events = createEventRecorder({ client: this.#client, clock: surroundings.clock, random: surroundings.random, log: this.#log, component: controller.name, signal });
    this.#context = {
      transport, clock: surroundings.clock, random: surroundings.random, log: this.#log, signal, events,
      informer: <T extends ApiObject>(kind: Kind<T>): Informer<T> => {
        const informer = this.#informers.get(kind);
        if (informer === undefined) throw new Error(`controller ${controller.name} does not name ${apiVersionOf(kind)} ${kind.plural} in reconciles, owns, watches or reads`);
        return informer as unknown as Informer<T>;
      },
    };
  }

  /** Waits for the informers, then works until the signal aborts and what is being reconciled has come to its end. */
  async run(ready: () => void): Promise<void> {
    const { signal } = this.#context;
    const unlisten = this.#listen();
    const stop = (): void => this.#queue.shutDown();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal)));
      const workers = Array.from({ length: this.#controller.workers ?? defaultWorkers }, () => this.#work());
      ready();
      await Promise.all(workers);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const off of unlisten) off();
      stop();
    }
  }

  #listen(): readonly (() => void)[] {
    const { reconciles, owns = [], watches = [] } = this.#controller;
    const context = { ...this.#context, client: this.#client };
    const on = (kind: AnyKind, keys: (object: ApiObject) => readonly Key[]): (() => void) => {
      // Keys are added once for both states: an idle worker takes the first at once, and would run again for the second.
      const wake = (...states: readonly ApiObject[]): void => {
        for (const key of new Set(states.flatMap((object) => keys(object).map(keyText)))) this.#queue.add(key);
      };
      return this.#context.informer(kind).on({ added: (object) => wake(object), updated: (object, old) => wake(old, object), deleted: (object) => wake(object) });
    };
    return [
      on(reconciles, (object) => [keyOf(object)]),
      ...owns.map((kind) => on(kind, (object) => {
        const key = controllerKey(object, reconciles);
        return key === undefined ? [] : [key];
      })),
      ...watches.map((watched) => on(watched.kind, (object) => watched.map(object, context))),
    ];
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take();
      if (key === undefined) return;
      const written = new OwnWrites(this.#byResource);
      await this.#reconcile(key, written);
      if (written.seen) this.#queue.done(key);
      else void this.#untilSeen(key, written).then(() => this.#queue.done(key));
    }
  }

  async #reconcile(text: string, written: OwnWrites): Promise<void> {
    const key = parseKeyText(text);
    const transport = observedTransport(this.#context.transport, (request, answer) => written.note(request, answer));
    const context: ReconcileContext = { ...this.#context, transport, client: createClient(transport) };
    const startedMs = this.#surroundings.clock.now();
    try {
      const object = this.#context.informer(this.#controller.reconciles).get(key);
      const again = await this.#controller.reconcile(object, key, context);
      this.#queue.forget(text);
      if (again !== undefined) this.#queue.addAfter(text, again.afterMs);
    } catch (error) {
      if (this.#context.signal.aborted) return;
      const afterMs = this.#queue.retry(text);
      const fields = { key: text, failures: this.#queue.failures(text), retryAfterMs: afterMs };
      if (isReason(error, 'Conflict')) this.#log.debug('reconcile met a newer object', { ...fields, error: error.message });
      else warnOfFailure(this.#log, 'reconcile failed', { ...fields, error });
    } finally {
      this.#took?.observe((this.#surroundings.clock.now() - startedMs) / 1_000);
    }
  }

  /** Resolves when the informers include what was written, or after a while without. */
  async #untilSeen(key: string, written: OwnWrites): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, over.signal]);
    await Promise.race([written.wait(signal), sleep(this.#surroundings.clock, ownWritesMs, signal)]);
    over.abort();
    if (!this.#context.signal.aborted && !written.seen) {
      this.#log.warn('the informers have not seen what a reconcile wrote; going on', { key, unseen: written.unseen, waitedMs: ownWritesMs });
    }
  }
}
