import { countOf, heldAgainst } from '../filters/pod-affinity.ts';
import type { Scorer } from '../framework.ts';
import { stretched } from './normalise.ts';

/** Near the pods that a pod would like to be near, far from those that it would not; what placed pods wish of it counts too. */
export const podAffinityScore: Scorer = {
  name: 'interPodAffinity',
  normalise: stretched,
  prepare: (pod, cluster) => {
    const wishes = cluster.termsOf(pod).preferred.map(({ term, weight }) => ({ count: countOf(cluster, term), weight }));
    const against = heldAgainst(pod, cluster, ({ weight }) => weight !== 0);
    return (node) => {
      let total = 0;
      for (const { count, weight } of wishes) total += weight * (count.at(node) ?? 0);
      for (const { weight, holders } of against()) total += weight * (holders.at(node) ?? 0);
      return total;
    };
  },
};
