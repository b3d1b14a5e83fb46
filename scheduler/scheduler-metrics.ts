import type { Metrics } from '../base/metrics/metrics.ts';
import type { Scheduler } from './scheduler.ts';

/** Shows the scheduler's queue and what became of its tries, under the names that Kubernetes' scheduler uses. */
export const countScheduler = (metrics: Metrics, scheduler: Pick<Scheduler, 'queue' | 'attempts' | 'preempted'>): void => {
  const pending = metrics.gauge({ name: 'scheduler_pending_pods', help: 'Pods that wait for a node.', labels: ['queue'] });
  const attempts = metrics.counter({ name: 'scheduler_schedule_attempts_total', help: 'Tries to find a node for a pod.', labels: ['result'] });
  const preemptions = metrics.counter({ name: 'scheduler_preemption_attempts_total', help: 'Pods for which others were ended.', labels: [] });
  const victims = metrics.counter({ name: 'scheduler_preemption_victims_total', help: 'Pods that were ended so that others find room.', labels: [] });
  metrics.beforeRead(() => {
    const { active, backingOff, parked } = scheduler.queue.sizes;
    for (const [queue, count] of [['active', active], ['backoff', backingOff], ['unschedulable', parked]] as const) pending.of(queue).set(count);
    for (const [result, count] of Object.entries(scheduler.attempts)) attempts.of(result).value = count;
    preemptions.of().value = scheduler.preempted.pods;
    victims.of().value = scheduler.preempted.victims;
  });
};
