import type { Cluster } from '../cluster.ts';
import type { Filter } from '../framework.ts';
import type { HeldTerm } from '../held-terms.ts';
import type { PodInfo } from '../pod-info.ts';
import type { PodTerm } from '../pod-terms.ts';
import type { TopologyCount } from '../topology-count.ts';

const affinityReason = "node(s) didn't match pod affinity rules";
const antiAffinityReason = "node(s) didn't match pod anti-affinity rules";
const othersReason = "node(s) didn't satisfy existing pods anti-affinity rules";

const isMeant = (pod: PodInfo, term: PodTerm): boolean => term.matches(pod.pod.metadata.namespace ?? '', pod.pod.metadata.labels);

/** Placed pods that a term means, by its places. */
export const countOf = (cluster: Cluster, term: PodTerm): TopologyCount =>
  cluster.count(`pods ${term.text}`, () => ({ topologyKey: term.topologyKey, matches: (other) => isMeant(other, term) }));

/** Terms of placed pods that mean this pod, looked for again when such terms come or go. */
export const heldAgainst = (pod: PodInfo, cluster: Cluster, wanted: (held: HeldTerm) => boolean): (() => readonly HeldTerm[]) => {
  let generation = -1;
  let found: readonly HeldTerm[] = [];
  return () => {
    if (cluster.held.generation !== generation) {
      generation = cluster.held.generation;
      found = [...cluster.held.all()].filter((held) => wanted(held) && isMeant(pod, held.term));
    }
    return found;
  };
};

/**
 * Keeps pods with those that they must be near, and away from those that they must not, or that do not want them near. A
 * pod counts for affinity when all terms mean it; the first of a group that means itself may go anywhere.
 */
export const podAffinity: Filter = {
  name: 'PodAffinity',
  wokenBy: ['nodeAdded', 'nodeLabels', 'podGone', 'podPlaced'],
  isLocal: (pod, cluster) => {
    const { affinity, antiAffinity } = cluster.termsOf(pod);
    if (affinity.length > 0 || antiAffinity.length > 0) return false;
    for (const { term, weight } of cluster.held.all()) if (weight === 0 && isMeant(pod, term)) return false;
    return true;
  },
  isLasting: (_pod, _node, reason) => reason === affinityReason,
  prepare: (pod, cluster) => {
    const { affinity, antiAffinity } = cluster.termsOf(pod);
    const all = affinity.map(({ text }) => text).sort().join(' ');
    const near = affinity.map(({ topologyKey }) => cluster.count(`all ${topologyKey} ${all}`, () => ({ topologyKey, matches: (other) => affinity.every((term) => isMeant(other, term)) })));
    const meansItself = affinity.every((term) => isMeant(pod, term));
    const away = antiAffinity.map((term) => countOf(cluster, term));
    const against = heldAgainst(pod, cluster, ({ weight }) => weight === 0);
    return (node) => {
      if (near.length > 0) {
        const counts = near.map((count) => count.at(node));
        if (counts.includes(undefined)) return affinityReason;
        const isFirst = meansItself && near.every(({ total }) => total === 0);
        if (counts.includes(0) && !isFirst) return affinityReason;
      }
      for (const count of away) if ((count.at(node) ?? 0) > 0) return antiAffinityReason;
      for (const { holders } of against()) if ((holders.at(node) ?? 0) > 0) return othersReason;
      return undefined;
    };
  },
  helpedBy: (pod, cluster) => {
    const { affinity, antiAffinity } = cluster.termsOf(pod);
    return (other) => affinity.some((term) => isMeant(other, term)) || antiAffinity.some((term) => isMeant(other, term))
      || cluster.termsOf(other).antiAffinity.some((term) => isMeant(pod, term));
  },
};
