import { swarmPlacement } from '../../schemas/swarm/placement.ts';
import type { Cluster } from '../cluster.ts';
import type { Filter } from '../framework.ts';
import { onNode } from '../swarm/beside.ts';
import { serviceOf } from '../swarm/service.ts';
import type { CountedPods, TopologyCount } from '../topology-count.ts';

/** Placed pods of one service, by node. */
const replicas = (service: string, cluster: Cluster): TopologyCount =>
  cluster.count(`swarm service ${service}`, (): CountedPods => ({ domainOf: onNode, matches: (other) => serviceOf(other) === service }));

/** Keeps a pod off nodes that have as many pods of its service as it allows for one node. */
export const swarmMaxReplicas: Filter = {
  name: 'SwarmMaxReplicas',
  wokenBy: ['nodeAdded', 'podGone'],
  prepare: (pod, cluster) => {
    const most = swarmPlacement(pod.pod.metadata.annotations)?.maxReplicasPerNode;
    if (most === undefined) return undefined;
    const count = replicas(serviceOf(pod), cluster);
    return (node) => ((count.at(node) ?? 0) < most ? undefined : `node(s) had the most replicas per node (${most}) of the pod's service`);
  },
  helpedBy: (pod) => {
    if (swarmPlacement(pod.pod.metadata.annotations)?.maxReplicasPerNode === undefined) return undefined;
    const service = serviceOf(pod);
    return (other) => serviceOf(other) === service;
  },
};
