import type { Histogram, Metrics } from '../base/metrics/metrics.ts';
import type { WorkQueue } from './work-queue.ts';

/** Seconds. */
const workBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** Shows a queue under the names that Kubernetes' controllers use. The histogram takes the seconds that the work on a key took. */
export const countQueue = (metrics: Metrics, name: string, queue: Pick<WorkQueue, 'size' | 'counts'>): Histogram => {
  const labels = ['name'] as const;
  const depth = metrics.gauge({ name: 'workqueue_depth', help: 'Keys that wait for a worker.', labels }).of(name);
  const adds = metrics.counter({ name: 'workqueue_adds_total', help: 'Keys that were put into the queue.', labels }).of(name);
  const retries = metrics.counter({ name: 'workqueue_retries_total', help: 'Keys that were put into the queue again after a failure.', labels }).of(name);
  metrics.beforeRead(() => {
    depth.set(queue.size);
    adds.value = queue.counts.adds;
    retries.value = queue.counts.retries;
  });
  return metrics.histogram({ name: 'workqueue_work_duration_seconds', help: 'Time of the work on a key.', labels, bounds: workBounds }).of(name);
};
