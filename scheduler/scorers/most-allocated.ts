import type { Scorer } from '../framework.ts';
import { meanOf, type ResourceWeights } from './allocation.ts';

/** The larger the share of its resources that is taken, the better the node. */
export const mostAllocated = (resources: ResourceWeights): Scorer => ({
  name: 'mostAllocated',
  prepare: (pod) => meanOf(pod, resources, (given, has) => Math.floor(Math.min(given, has) * 100 / has)),
});
