/** How much of each resource a node would have given away with a pod on it, for the scorers that go by that. */
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';

/** Resources that are looked at, with their weights. */
export type ResourceWeights = Readonly<Record<string, number>>;

export const cpuAndMemory: ResourceWeights = Object.freeze({ cpu: 1, memory: 1 });

/**
 * Of one resource: what the node has, and what its pods and this one ask for. `assumed` counts a little CPU and memory for
 * containers that ask for none, as Kubernetes does where emptiness is compared. A device that the pod does not ask for is 0 of 0.
 */
export const allocation = (resource: string, { requests, assumed }: PodInfo, by: 'asked' | 'assumed') => {
  const extra = by === 'assumed';
  switch (resource) {
    case 'cpu': return (node: NodeInfo) => ({ has: node.allocatable.cpuMilli, given: node.used.cpuMilli + requests.cpuMilli + (extra ? node.assumed.cpuMilli + assumed.cpuMilli : 0) });
    case 'memory': return (node: NodeInfo) => ({ has: node.allocatable.memoryBytes, given: node.used.memoryBytes + requests.memoryBytes + (extra ? node.assumed.memoryBytes + assumed.memoryBytes : 0) });
    case 'ephemeral-storage': return (node: NodeInfo) => ({ has: node.allocatable.storageBytes, given: node.used.storageBytes + requests.storageBytes });
    default: {
      const wanted = requests.others.get(resource) ?? 0;
      return ({ allocatable, used }: NodeInfo) => (wanted === 0 ? nothing : { has: allocatable.others.get(resource) ?? 0, given: (used.others.get(resource) ?? 0) + wanted });
    }
  }
};

const nothing = Object.freeze({ has: 0, given: 0 });

/** The weighted mean of a score of each resource that a node has at all; whole numbers, as in Kubernetes. */
export const meanOf = (pod: PodInfo, weights: ResourceWeights, scoreOf: (given: number, has: number) => number): ((node: NodeInfo) => number) => {
  const resources = Object.entries(weights).map(([name, weight]) => ({ of: allocation(name, pod, 'assumed'), weight }));
  return (node) => {
    let [total, weights] = [0, 0];
    for (const { of, weight } of resources) {
      const { has, given } = of(node);
      if (has === 0) continue;
      total += weight * scoreOf(given, has);
      weights += weight;
    }
    return weights === 0 ? 0 : Math.floor(total / weights);
  };
};
