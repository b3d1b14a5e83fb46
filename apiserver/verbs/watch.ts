/**
 * A watch: what exists (where the client has nothing yet), then every change. The cache delivers; this adds the initial
 * events, bookmarks and the end after a time. Between two reads of the client nothing runs but one timer.
 */
import type { WatchEvent } from '../../schemas/api.ts';
import { badRequest } from '../../schemas/errors.ts';
import { apiVersionOf, type AnyKind } from '../../schemas/kind.ts';
import { formEvents, servedEvent, servedForm } from '../served-form.ts';
import type { Call, Surroundings } from './call.ts';
import { checkWatchStart, revisionOf, waitFor } from './resource-version.ts';
import { selectionOf, selectNow, type Selection } from './selection.ts';
import { WatchTimer } from './watch-timer.ts';

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
  return events(api, call, { signal, selection, from: revisionOf(options.resourceVersion) ?? 0 });
};

interface Start {
  readonly signal: AbortSignal;
  readonly selection: Selection;
  /** The revision that the client has; 0 for none. */
  readonly from: number;
}

async function* events(api: Surroundings, { kind, served, options }: Call, { signal, selection, from }: Start): AsyncGenerator<readonly WatchEvent[], void> {
  const { cache, clock, random } = api;
  await waitFor(api, from, signal);
  const sendInitial = options.sendInitialEvents ?? from === 0;
  const after = sendInitial || from === 0 ? cache.revision : from;
  const initial = sendInitial ? selectNow(cache, kind, selection) : [];
  const source = cache.watch({ prefix: selection.prefix, after, field: selection.field, matches: selection.matches }, signal);
  const reader = source[Symbol.asyncIterator]();
  const lifeMs = (options.timeoutSeconds ?? 0) > 0 ? options.timeoutSeconds! * 1_000 : endAfterMs * (1 + random());
  const timer = new WatchTimer(clock, { endMs: clock.now() + lifeMs, bookmarks: options.allowWatchBookmarks === true });
  try {
    if (initial.length > 0) {
      const shown = kind.stored === undefined ? initial.map((object) => servedForm(served, object)) : await kind.stored.read(initial);
      yield shown.map((object) => ({ type: 'ADDED', object }));
    }
    if (options.sendInitialEvents === true && options.allowWatchBookmarks === true) yield [bookmark(served ?? kind, after, { 'k8s.io/initial-events-end': 'true' })];
    let next = reader.next();
    for (;;) {
      const outcome = await timer.orAlarm(next);
      if (outcome === 'end') return;
      if (outcome === 'bookmark') {
        yield [bookmark(served ?? kind, source.position)];
        continue;
      }
      if (outcome.done === true) return;
      if (kind.stored !== undefined) yield await formEvents(kind.stored, outcome.value);
      else yield served === undefined ? outcome.value : outcome.value.map((event) => servedEvent(served, event));
      next = reader.next();
    }
  } finally {
    timer.stop();
    await reader.return?.();
  }
}
