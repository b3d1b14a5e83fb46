import type { Component, Surroundings } from '../base/component.ts';
import { boundTransport } from '../client/bound-transport.ts';
import { createClient } from '../client/client.ts';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts';
import { createInformers } from '../client/informers.ts';
import { Namespace } from '../schemas/kinds/core/namespace.ts';
import { PersistentVolumeClaim } from '../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../schemas/kinds/core/persistent-volume.ts';
import { Node } from '../schemas/kinds/core/node.ts';
import { deepEqual } from '../schemas/frozen.ts';
import { PodDisruptionBudget } from '../schemas/kinds/policy/pod-disruption-budget.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { StorageClass } from '../schemas/kinds/storage/storage-class.ts';
import { followSelectors } from './follow-selectors.ts';
import type { Profile } from './framework.ts';
import { followsSelectors, profileOf } from './profile.ts';
import { countScheduler } from './scheduler-metrics.ts';
import { defaultSchedulerName, Scheduler } from './scheduler.ts';

export interface SchedulerComponentOptions {
  /** By the schedulerName by which pods ask for them; one for `default-scheduler` that spreads where absent. */
  readonly profiles?: ReadonlyMap<string, Profile> | undefined;
}

/** The scheduler: puts pods that have no node on one. Ready when it knows all nodes and pods. */
export const createSchedulerComponent = (surroundings: Surroundings, options: SchedulerComponentOptions): Component => ({
  name: 'scheduler',
  after: [],
  run: async (signal, ready) => {
    const { clock, random } = surroundings;
    const profiles = options.profiles ?? new Map([[defaultSchedulerName, profileOf('spread')]]);
    const log = surroundings.log.with({ component: 'scheduler' });
    // When the scheduler itself cannot go on, its informers must stop too.
    const stop = new AbortController();
    const all = AbortSignal.any([signal, stop.signal]);
    const client = createClient(boundTransport(surroundings.transport, all));
    const recorders = new Map([...profiles.keys()].map((component) => [component, createEventRecorder({ client, clock, log, random, component, signal: all })]));
    const events = (schedulerName: string): EventRecorder => recorders.get(schedulerName) as EventRecorder;
    const scheduler = new Scheduler({ profiles, client, clock, log, random, events });
    if (surroundings.metrics !== undefined) countScheduler(surroundings.metrics, scheduler);
    const informers = createInformers({ client, clock, log, random });
    const nodes = informers.informer(Node);
    const namespaces = informers.informer(Namespace);
    const budgets = informers.informer(PodDisruptionBudget);
    const claims = informers.informer(PersistentVolumeClaim);
    const volumes = informers.informer(PersistentVolume);
    const classes = informers.informer(StorageClass);
    const pods = informers.informer(Pod);
    const tellSelectors = [...profiles.values()].some(followsSelectors) ? followSelectors(informers, scheduler.cluster.selectors) : undefined;
    const informing = informers.run(all);
    try {
      // Nodes first, so that the first pods do not find an empty cluster.
      await informers.whenSynced(all);
      const setNamespace = ({ metadata }: Namespace): void => scheduler.setNamespace(metadata.name ?? '', metadata.labels ?? {});
      namespaces.on({ added: setNamespace, updated: (now, old) => {
        if (!deepEqual(now.metadata.labels, old.metadata.labels)) setNamespace(now);
      }, deleted: ({ metadata }) => scheduler.setNamespace(metadata.name ?? '', undefined) });
      budgets.on({ added: (budget) => scheduler.budgets.set(budget), updated: (budget) => scheduler.budgets.set(budget), deleted: (budget) => scheduler.budgets.delete(budget) });
      const { volumes: binder } = scheduler;
      classes.on({ added: (one) => binder.setClass(one), updated: (one) => binder.setClass(one), deleted: (one) => binder.removeClass(one) });
      volumes.on({ added: (one) => binder.setVolume(one), updated: (one) => binder.setVolume(one), deleted: (one) => binder.removeVolume(one) });
      claims.on({ added: (one) => binder.setClaim(one), updated: (one) => binder.setClaim(one), deleted: (one) => binder.removeClaim(one) });
      tellSelectors?.();
      nodes.on({ added: (node) => scheduler.setNode(node), updated: (node) => scheduler.setNode(node), deleted: (node) => scheduler.removeNode(node) });
      pods.on({ added: (pod) => scheduler.setPod(pod), updated: (pod) => scheduler.setPod(pod), deleted: (pod) => scheduler.removePod(pod) });
      ready();
      await scheduler.run(all);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stop.abort();
      await informing;
    }
  },
});
