import type { Metrics } from '../base/metrics/metrics.ts';
import { qualified } from '../schemas/errors.ts';
import type { Core } from './core.ts';
import type { Storage } from './storage/storage.ts';

/** Seconds; a commit is one write to the disk, shared with others that came at the same time. */
const commitBounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Counts what the core holds, when it is asked for. */
export const addCoreMetrics = (metrics: Metrics, core: Pick<Core, 'counts' | 'revision'>): void => {
  const objects = metrics.gauge({ name: 'apiserver_storage_objects', help: 'Stored objects.', labels: ['resource'] });
  const watches = metrics.gauge({ name: 'apiserver_registered_watchers', help: 'Watches of clients and of components in this process.' }).of();
  const revision = metrics.gauge({ name: 'apiserver_storage_revision', help: 'The revision that this server has seen.' }).of();
  metrics.beforeRead(() => {
    const { objects: byResource, watches: open } = core.counts();
    objects.clear();
    for (const { group, plural, count } of byResource) objects.of(qualified(plural, group)).set(count);
    watches.set(open);
    revision.set(core.revision);
  });
};

/** A store whose commits are timed, from the request to the moment when they are durable. */
export const timedStorage = (storage: Storage, metrics: Metrics, stopwatch: () => number): Storage => {
  const done = metrics.histogram({ name: 'apiserver_storage_commit_duration_seconds', help: 'Time of a write to the store, until it is durable.', labels: ['outcome'], bounds: commitBounds });
  const [committed, refused] = [done.of('committed'), done.of('refused')];
  return {
    ...(storage.newest === undefined ? {} : { newest: () => storage.newest!() }),
    get failed() {
      return storage.failed;
    },
    load: () => storage.load(),
    changes: (after, signal) => storage.changes(after, signal),
    compact: (upTo) => storage.compact(upTo),
    close: () => storage.close(),
    commit: (transaction) => {
      const startedMs = stopwatch();
      const result = storage.commit(transaction);
      const note = (histogram: typeof committed) => () => histogram.observe((stopwatch() - startedMs) / 1_000);
      result.then(note(committed), note(refused));
      return result;
    },
  };
};
