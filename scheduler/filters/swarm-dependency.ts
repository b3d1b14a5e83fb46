import { swarmPlacement } from '../../schemas/swarm/placement.ts';
import type { Filter } from '../framework.ts';
import { dependencyOn } from '../swarm/beside.ts';

/** Keeps a pod to nodes that have all pods on which it depends. */
export const swarmDependency: Filter = {
  name: 'SwarmDependency',
  wokenBy: ['nodeAdded', 'podPlaced'],
  prepare: (pod, cluster) => {
    const all = (swarmPlacement(pod.pod.metadata.annotations)?.dependencies ?? []).map((name) => ({ name, matches: dependencyOn(name, pod, cluster).matches }));
    if (all.length === 0) return undefined;
    return (node) => {
      const missing = all.find(({ matches }) => !matches(node));
      return missing === undefined ? undefined : `node(s) didn't have Swarm dependency ${missing.name}`;
    };
  },
  helpedBy: (pod, cluster) => {
    const all = (swarmPlacement(pod.pod.metadata.annotations)?.dependencies ?? []).map((name) => dependencyOn(name, pod, cluster));
    return all.length === 0 ? undefined : (other) => all.some(({ isAbout }) => isAbout(other));
  },
};
