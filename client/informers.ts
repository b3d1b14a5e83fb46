import type { ApiObject, Kind } from '../schemas/kind.ts';
import type { Informer, InformerOptions } from './informer.ts';
import { ListWatchInformer, type ListWatchSurroundings } from './list-watch-informer.ts';

/** The informers of a process: one list and one watch per kind and selection, however many ask for it. */
export interface Informers {
  /**
   * The informer of a kind, shared by all who ask for the same selection; each sees the indexes that it named itself.
   * May be called before and after `run`; do not call `run` of the informer.
   */
  informer<T extends ApiObject>(kind: Kind<T>, options?: InformerOptions<T>): Informer<T>;
  /** Ends the informers of a kind that is not served any more. Who still holds one sees what it saw last. */
  forget(kind: Pick<Kind<ApiObject>, 'group' | 'version' | 'plural'>): void;
  /** Resolves when every informer asked for so far has its first list; rejects when the signal aborts first. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Runs all of them, those asked for later too, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export const createInformers = (surroundings: ListWatchSurroundings): Informers => {
  // The kinds differ from entry to entry; `informer` gives out only what it stored under the same kind.
  const shared = new Map<string, { readonly informer: ListWatchInformer<ApiObject>; readonly stop: AbortController }>();
  let running: { readonly signal: AbortSignal; readonly runs: Promise<void>[] } | undefined;
  return {
    informer: <T extends ApiObject>(kind: Kind<T>, { indexes = {}, ...selection }: InformerOptions<T> = {}): Informer<T> => {
      const id = JSON.stringify([kind.group, kind.version, kind.plural, selection.namespace ?? '', selection.labelSelector ?? '', selection.fieldSelector ?? '']);
      let informer = shared.get(id)?.informer as ListWatchInformer<T> | undefined;
      if (informer === undefined) {
        informer = new ListWatchInformer(kind, selection, surroundings);
        const stop = new AbortController();
        shared.set(id, { informer: informer as unknown as ListWatchInformer<ApiObject>, stop });
        running?.runs.push(informer.run(AbortSignal.any([running.signal, stop.signal])));
      }
      return informer.view(indexes);
    },
    forget: ({ group, version, plural }) => {
      const start = JSON.stringify([group, version, plural]).slice(0, -1);
      for (const [id, { stop }] of shared) {
        if (!id.startsWith(`${start},`)) continue;
        stop.abort();
        shared.delete(id);
      }
    },
    whenSynced: async (signal) => {
      await Promise.all([...shared.values()].map(({ informer }) => informer.whenSynced(signal)));
    },
    run: async (signal) => {
      if (running !== undefined) throw new Error('these informers run already');
      const runs = [...shared.values()].map(({ informer, stop }) => informer.run(AbortSignal.any([signal, stop.signal])));
      running = { signal, runs };
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await Promise.all(runs);
    },
  };
};
