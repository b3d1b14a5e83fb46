import type { Cluster } from '../cluster.ts';
import type { Filter } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import { beside, type Beside } from '../swarm/beside.ts';
import { required } from '../swarm/required.ts';

const wanted = (pod: PodInfo, cluster: Cluster): readonly Beside[] => required(pod, 'affinities').map((affinity) => beside(affinity, pod, cluster));

/** Keeps a pod to nodes with the containers, images and labels of containers that it wants near, and without those that it does not. */
export const swarmAffinity: Filter = {
  name: 'SwarmAffinity',
  wokenBy: ['nodeAdded', 'nodeImages', 'podGone', 'podPlaced'],
  prepare: (pod, cluster) => {
    const affinities = wanted(pod, cluster);
    if (affinities.length === 0) return undefined;
    return (node) => {
      const unmet = affinities.find(({ matches }) => !matches(node));
      return unmet === undefined ? undefined : `node(s) didn't match Swarm affinity ${unmet.expression.text}`;
    };
  },
  // Nobody who leaves brings what is missing.
  isLasting: (_pod, _node, reason) => typeof reason === 'string' && reason.includes('=='),
  helpedBy: (pod, cluster) => {
    const affinities = wanted(pod, cluster);
    return affinities.length === 0 ? undefined : (other) => affinities.some(({ isAbout }) => isAbout(other));
  },
};
