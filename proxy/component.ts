import type { Component, Surroundings } from '../base/component.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informers.ts';
import { revisionOf } from '../client/key.ts';
import { clusterInfoAt, externalIPsKey } from '../schemas/cluster-info.ts';
import { ConfigMap } from '../schemas/kinds/core/config-map.ts';
import { EndpointSlice } from '../schemas/kinds/discovery/endpoint-slice.ts';
import { Service } from '../schemas/kinds/core/service.ts';
import { ApplyLoop } from './apply-loop.ts';
import type { ProxyBackend, ServiceTable } from './backend.ts';
import type { HealthCheckServer } from './health-check-server.ts';
import { healthChecks } from './health-checks.ts';
import { isSameTable, serviceTable, steadyAddresses } from './table.ts';
import { WithdrawalBoard } from './withdrawal-board.ts';

export interface ProxyOptions {
  readonly nodeName: string;
  readonly backend: ProxyBackend;
  /** Answers load balancers that ask for this node; absent: nobody answers. */
  readonly healthChecks?: Pick<HealthCheckServer, 'apply'> | undefined;
}

/**
 * The service proxy of a node: follows services and endpoint slices and has the backend apply the table. A change is
 * applied at once when nothing is under way, and changes during an apply make one next apply.
 */
export const createProxyComponent = (surroundings: Surroundings, { nodeName, backend, healthChecks: answers }: ProxyOptions): Component & { readonly withdrawal: WithdrawalBoard } => {
  const { clock, log } = surroundings;
  const informers = createInformers({ client: createClient(surroundings.transport), clock, log, random: surroundings.random });
  const services = informers.informer(Service);
  const slices = informers.informer(EndpointSlice);
  const clusterInfo = informers.informer(ConfigMap, { namespace: clusterInfoAt.namespace, fieldSelector: `metadata.name=${clusterInfoAt.name}` });
  const board = new WithdrawalBoard(clock);

  let appliedTable: ServiceTable | undefined;
  const loop = new ApplyLoop({
    clock, log, what: `the service table (${backend.name})`,
    apply: async (_signal, resync) => {
      const steady = steadyAddresses(slices.list());
      const revisions = { reached: slices.revision, newest: slices.list().reduce((newest, slice) => Math.max(newest, revisionOf(slice)), 0) };
      board.applying(steady);
      const externalIps = clusterInfo.get(clusterInfoAt)?.data?.[externalIPsKey] === 'true' ? 'served' : 'ignored';
      const table = serviceTable({ services: services.list(), slices: slices.list(), nodeName, externalIps });
      // Most changes of slices are of pods that come or end, and make no other table.
      if (resync || appliedTable === undefined || !isSameTable(table, appliedTable)) {
        appliedTable = undefined;
        await backend.apply(table);
        appliedTable = table;
      }
      board.applied(steady, revisions);
      await answers?.apply(healthChecks({ services: services.list(), slices: slices.list(), nodeName }));
    },
  });

  return {
    name: 'proxy', after: [],
    withdrawal: board,
    run: async (signal, ready) => {
      const running = informers.run(signal);
      try {
        await informers.whenSynced(signal);
        for (const informer of [services, slices, clusterInfo]) informer.on({ added: loop.changed, updated: loop.changed, deleted: loop.changed });
        await loop.run(signal, ready);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      await running;
      await answers?.apply(new Map());
    },
  };
};
