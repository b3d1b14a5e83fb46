import { swarmPlacement } from '../../schemas/swarm/placement.ts';
import type { Sieve } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { spreadValue } from '../swarm/node-match.ts';
import { serviceOf } from '../swarm/service.ts';
import type { CountedPods } from '../topology-count.ts';

/**
 * The nodes of the branch with the fewest pods of the service, then within it of the next preference's, and so on: SwarmKit's
 * tree. All nodes of a branch count, also those that do not fit; branches without a node that fits are passed over.
 */
export const swarmPreferences: Sieve = {
  name: 'SwarmPreferences',
  prepare: (pod, cluster) => {
    const preferences = swarmPlacement(pod.pod.metadata.annotations)?.preferences ?? [];
    if (preferences.length === 0) return undefined;
    const service = serviceOf(pod);
    const levels = preferences.map((_, depth) => {
      const labels = preferences.slice(0, depth + 1);
      const domainOf = ({ node }: NodeInfo): string | undefined => (node === undefined ? undefined : JSON.stringify(labels.map((label) => spreadValue(node, label))));
      return cluster.count(`swarm spread ${JSON.stringify([labels, service])}`, (): CountedPods => ({ domainOf, matches: (other) => serviceOf(other) === service }));
    });
    return (nodes) => levels.reduce((left, level) => {
      const counts = left.map((node) => level.at(node) ?? 0);
      const least = Math.min(...counts);
      return left.filter((_, index) => counts[index] === least);
    }, nodes);
  },
};
