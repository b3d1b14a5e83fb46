import type { Scorer } from '../framework.ts';
import { allocation, type ResourceWeights } from './allocation.ts';

/** The nearer the taken shares of the resources are to each other, the better: 100 less their standard deviation in percent. */
export const balancedAllocation = (resources: ResourceWeights): Scorer => ({
  name: 'balancedAllocation',
  prepare: (pod) => {
    const { cpuMilli, memoryBytes, storageBytes, others } = pod.requests;
    if (cpuMilli === 0 && memoryBytes === 0 && storageBytes === 0 && others.size === 0) return undefined;
    const all = Object.keys(resources).map((name) => allocation(name, pod, 'asked'));
    return (node) => {
      const shares = all.map((of) => of(node)).filter(({ has }) => has > 0).map(({ given, has }) => Math.min(1, given / has));
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
      const deviation = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
      return shares.length === 0 ? 100 : Math.floor((1 - deviation) * 100);
    };
  },
});
