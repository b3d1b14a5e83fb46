import type { Component, Surroundings } from '../base/component.ts';
import { createClient } from '../client/client.ts';
import { runControllers, type AnyController } from '../client/controller.ts';
import { createInformers } from '../client/informers.ts';
import { builtinKinds, createRegistry, GrowingRegistry, type Registry } from '../schemas/registry.ts';
import { accountTokenSecretController } from './account-token-secret/controller.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation/controller.ts';
import { certificateApproverController } from './certificate-approver/controller.ts';
import { certificateCleanerController } from './certificate-cleaner/controller.ts';
import { followDefinitions } from './custom-kinds.ts';
import { cronJobController } from './cron-job/controller.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { endpointSliceController } from './endpoint-slice/controller.ts';
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts';
import { GarbageCollector } from './garbage-collector/collector.ts';
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/controller.ts';
import { jobController } from './job/controller.ts';
import { AddressPool } from './load-balancer/address-pool.ts';
import { loadBalancerController } from './load-balancer/controller.ts';
import { localPathController, localPathFinalizerController } from './local-path/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeIpamController } from './node-ipam/controller.ts';
import { nodeLifecycleController } from './node-lifecycle/controller.ts';
import { defaultRates, type EvictionRates } from './node-lifecycle/zones.ts';
import { nodeTtlController } from './node-ttl/controller.ts';
import { claimController } from './persistent-volume/claim-controller.ts';
import { volumeController } from './persistent-volume/volume-controller.ts';
import { podDisruptionBudgetController } from './pod-disruption-budget/controller.ts';
import { podGarbageController } from './pod-garbage/controller.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { replicaSetController, replicationControllerController } from './replica-set/controller.ts';
import { rootCaController } from './root-ca/controller.ts';
import { serviceAccountController } from './service-account/controller.ts';
import { statefulSetController } from './stateful-set/controller.ts';
import { taintEvictionController } from './taint-eviction/controller.ts';
import { tokenCleanerController } from './token-cleaner/controller.ts';

export interface ControllersOptions {
  /** The kinds that are always there, to which those of the cluster's definitions come; the built-in kinds where absent. */
  readonly registry?: Registry | undefined;
  /** IPv4 range of which each node gets a /24 for its pods, such as 10.244.0.0/16. */
  readonly clusterCidr: string;
  /** Addresses for Services of type LoadBalancer, as AddressPool reads them; where absent, such are left to others. */
  readonly loadBalancerPool?: string | undefined;
  /** PEM of the authority that signed the API server's certificate; goes into every namespace of a cluster that does not name its authorities itself. */
  readonly rootCa: string;
  /** A node whose lease is not renewed for so long is lost; 15 s where absent. */
  readonly nodeMonitorGraceMs?: number | undefined;
  /** The same for a node that has never renewed one; 60 s where absent. */
  readonly nodeStartupGraceMs?: number | undefined;
  /** How fast nodes that fail are given up; Kubernetes' numbers where absent. */
  readonly evictionRates?: Partial<EvictionRates> | undefined;
  /** Pods of a node whose object is gone are removed after this time, and its volumes no longer waited for; 40 s where absent. */
  readonly nodeGoneMs?: number | undefined;
  /** Pods that have ended are kept up to this number; 12,500 where absent. */
  readonly terminatedPodBound?: number | undefined;
}

/** All controllers on one set of informers. Throws at once when the cluster's range, or the pool, is none. */
export const createControllersComponent = (surroundings: Surroundings, options: ControllersOptions): Component => {
  const { clusterCidr, rootCa, nodeGoneMs = 40_000 } = options;
  const nodeIpam = nodeIpamController(clusterCidr);
  const loadBalancer = options.loadBalancerPool === undefined ? [] : [loadBalancerController(new AddressPool(options.loadBalancerPool))];
  const all = (registry: Registry): readonly AnyController[] => [
    deploymentController(),
    replicaSetController(),
    replicationControllerController(),
    daemonSetController(),
    statefulSetController(),
    jobController(),
    cronJobController(),
    endpointSliceController(),
    endpointsController(),
    endpointSliceMirroringController(),
    namespaceController(registry),
    serviceAccountController(),
    rootCaController(rootCa),
    accountTokenSecretController(rootCa),
    clusterRoleAggregationController(),
    resourceQuotaController(registry),
    podDisruptionBudgetController(registry),
    horizontalPodAutoscalerController(registry),
    nodeLifecycleController({ graceMs: options.nodeMonitorGraceMs ?? 15_000, startupGraceMs: options.nodeStartupGraceMs ?? 60_000, rates: { ...defaultRates, ...options.evictionRates } }),
    taintEvictionController(),
    nodeTtlController(),
    nodeIpam,
    ...loadBalancer,
    certificateApproverController(),
    certificateCleanerController(),
    tokenCleanerController(),
    claimController(),
    volumeController(),
    localPathController(),
    localPathFinalizerController({ nodeGoneMs }),
    ephemeralVolumeController(),
    podGarbageController({ terminatedPodBound: options.terminatedPodBound ?? 12_500, nodeGoneMs }),
  ];
  return {
    name: 'controllers',
    after: [],
    run: async (signal, ready) => {
      // One part that cannot go on stops the others: half a set of controllers does more harm than none.
      const stop = new AbortController();
      const ends = AbortSignal.any([signal, stop.signal]);
      const registry = new GrowingRegistry(options.registry ?? createRegistry(await builtinKinds()));
      const informers = createInformers({ ...surroundings, client: createClient(surroundings.transport) });
      const definitions = followDefinitions(informers, registry);
      let working = 0;
      const started = (): void => {
        if (++working === 2) ready();
      };
      const work = async (): Promise<void> => {
        // Who empties a namespace must know all kinds that there can be something of.
        await definitions.whenSynced(ends);
        const collector = new GarbageCollector({ surroundings, informers, registry, definitions });
        await Promise.all([runControllers(all(registry), surroundings, ends, started, { informers }), collector.run(ends, started)]);
      };
      const runs = [work(), informers.run(ends)];
      try {
        await Promise.all(runs);
      } finally {
        stop.abort();
        await Promise.allSettled(runs);
      }
    },
  };
};
