import type { Scorer } from '../framework.ts';
import { meanOf, type ResourceWeights } from './allocation.ts';

/** The larger the share of its resources that stays free, the better the node. */
export const leastAllocated = (resources: ResourceWeights): Scorer => ({
  name: 'leastAllocated',
  prepare: (pod) => meanOf(pod, resources, (given, has) => (given > has ? 0 : Math.floor((has - given) * 100 / has))),
});
