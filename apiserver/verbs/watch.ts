/**
 * A watch: what exists (where the client has nothing yet), then every change. The cache delivers; this adds the initial
 * events, bookmarks and the end after a time. Between two reads of the client nothing runs but one timer.
 *
 * It is an iterator written by hand: what the cache resolves is the very promise that the reader waits for. A generator, and
 * a race of the change with the timer, took four turns of the microtask queue for each event of each watcher.
 */
import type { WatchEvent } from '../../schemas/api.ts';
import { badRequest } from '../../schemas/errors.ts';
import { apiVersionOf, type AnyKind } from '../../schemas/kind.ts';
import { formEvents, servedEvent, servedForm } from '../served-form.ts';
import type { Watch } from '../watch/watch-queue.ts';
import type { Call, Surroundings } from './call.ts';
import { catchUp, checkWatchStart, revisionOf, waitFor } from './resource-version.ts';
import { selectionOf, selectNow, type Selection } from './selection.ts';
import { WatchTimer, type Alarm } from './watch-timer.ts';

/** A watch without a time of its own ends after 30 to 60 minutes, as in Kubernetes, so that clients spread anew over servers. */
const endAfterMs = 1_800_000;

const bookmark = (kind: AnyKind, revision: number, annotations?: Readonly<Record<string, string>>): WatchEvent => ({
  type: 'BOOKMARK',
  object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) } },
});

/** Throws ApiError at once when the watch is refused; what comes later (Expired, a version from the future) the iteration throws. */
export const watch = (api: Surroundings, call: Call, signal: AbortSignal): AsyncIterable<readonly WatchEvent[]> => {
  const { options } = call;
  checkWatchStart(options);
  const selection = selectionOf(call);
  if (selection.needsForm && call.kind.stored?.isImmediate === false) {
    throw badRequest(`a watch of ${call.kind.plural} in version ${call.kind.version} cannot select fields of the object: a webhook converts it`);
  }
  return new WatchReader(api, call, { signal, selection, from: revisionOf(options.resourceVersion) ?? 0 });
};

interface Start {
  readonly signal: AbortSignal;
  readonly selection: Selection;
  /** The revision that the client has; 0 for none. */
  readonly from: number;
}

type Batch = IteratorResult<readonly WatchEvent[], undefined>;

const over: Batch = Object.freeze({ value: undefined, done: true });

class WatchReader implements AsyncIterableIterator<readonly WatchEvent[], undefined> {
  readonly #api: Surroundings;
  readonly #call: Call;
  readonly #start: Start;
  /** What the cache delivers; undefined until the first read. */
  #source: Watch | undefined;
  /** What is to be read before the changes. */
  #first: (readonly WatchEvent[])[] = [];
  #timer: WatchTimer | undefined;
  #due: Alarm | undefined;
  #closed = false;

  constructor(api: Surroundings, call: Call, start: Start) {
    this.#api = api;
    this.#call = call;
    this.#start = start;
  }

  next(): Promise<Batch> {
    if (this.#closed) return Promise.resolve(over);
    const source = this.#source;
    if (source === undefined) return this.#begin();
    if (this.#first.length > 0) return Promise.resolve({ value: this.#first.shift()!, done: false });
    if (this.#due === 'end') return this.return();
    const { kind, served } = this.#call;
    if (this.#due === 'bookmark') {
      this.#due = undefined;
      return Promise.resolve({ value: [bookmark(served ?? kind, source.comeBack())], done: false });
    }
    const next = source.next();
    return kind.stored === undefined && served === undefined ? next : next.then((batch) => this.#shown(batch));
  }

  async return(): Promise<Batch> {
    this.#closed = true;
    this.#timer?.stop();
    await this.#source?.return();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #begin(): Promise<Batch> {
    const { cache, clock, random } = this.#api;
    const { kind, served, options } = this.#call;
    const { signal, selection, from } = this.#start;
    try {
      if (options.resourceVersion === undefined || options.resourceVersion === '') await catchUp(this.#api, signal);
      else await waitFor(this.#api, from, signal);
      const sendInitial = options.sendInitialEvents ?? from === 0;
      const after = sendInitial || from === 0 ? cache.revision : from;
      const initial = sendInitial ? selectNow(cache, kind, selection) : [];
      const source = cache.watch({ prefix: selection.prefix, after, field: selection.field, matches: selection.matches, onEnd: () => this.#timer?.stop() }, signal);
      this.#source = source;
      if (initial.length > 0) {
        const shown = kind.stored === undefined ? initial.map((object) => servedForm(served, object)) : await kind.stored.read(initial);
        this.#first.push(shown.map((object) => ({ type: 'ADDED', object })));
      }
      if (options.sendInitialEvents === true && options.allowWatchBookmarks === true) this.#first.push([bookmark(served ?? kind, after, { 'k8s.io/initial-events-end': 'true' })]);
      const lifeMs = (options.timeoutSeconds ?? 0) > 0 ? options.timeoutSeconds! * 1_000 : endAfterMs * (1 + random());
      if (this.#closed) return await this.return();
      if (!source.ended) this.#timer = new WatchTimer(clock, { endMs: clock.now() + lifeMs, bookmarks: options.allowWatchBookmarks === true, ring: (alarm) => this.#ring(alarm) });
    } catch (error) {
      await this.return();
      throw error;
    }
    return this.next();
  }

  /** Does what is due where the reader waits; where he does not, he finds it when he comes back. */
  #ring(alarm: Alarm): void {
    this.#due = alarm;
    const { kind, served } = this.#call;
    const source = this.#source!;
    if (alarm === 'end') {
      if (source.interrupt(over)) void this.return();
    } else if (source.interrupt({ value: [bookmark(served ?? kind, source.position)], done: false })) {
      this.#due = undefined;
    }
  }

  /** The events in the form that the client asked for. */
  async #shown(batch: Batch): Promise<Batch> {
    const { kind, served } = this.#call;
    if (batch.done === true || batch.value[0]?.type === 'BOOKMARK') return batch;
    return { value: kind.stored === undefined ? batch.value.map((event) => servedEvent(served!, event)) : await formEvents(kind.stored, batch.value), done: false };
  }
}
