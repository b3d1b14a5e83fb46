import { swarmPlacement, type SwarmPlacement } from '../../schemas/swarm/placement.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { beside, dependencyOn } from '../swarm/beside.ts';
import { constraintMatch, valueOf, whitelistNames } from '../swarm/node-match.ts';
import { required } from '../swarm/required.ts';
import { namesText, nodesText, type Remedy } from './remedy.ts';

const placementOf = ({ pod }: PodInfo): SwarmPlacement | undefined => swarmPlacement(pod.metadata.annotations);

const shownValues = 4;

/** What the nodes say in place of what is wanted: `hdd (a, b), nothing (c)`. */
const valuesText = (key: string, nodes: readonly NodeInfo[]): string => {
  const byValue = new Map<string, string[]>();
  for (const { name, node } of nodes) {
    const value = node === undefined ? '' : valueOf(key, node);
    byValue.set(value, [...(byValue.get(value) ?? []), name]);
  }
  const all = [...byValue].map(([value, names]) => `${value === '' ? 'nothing' : value} (${namesText(names)})`);
  return `${all.slice(0, shownValues).join(', ')}${all.length > shownValues ? ', ...' : ''}`;
};

/** What nodes have in place of what a constraint asks for. */
export const swarmConstraintRemedy: Remedy = (pod, refused) => required(pod, 'constraints').flatMap((constraint) => {
  const matches = constraintMatch(constraint);
  const unmet = refused.filter(({ node }) => node !== undefined && !matches(node));
  return unmet.length === 0 ? [] : [`${nodesText(unmet.length)} ${unmet.length === 1 ? 'does' : 'do'} not meet ${constraint.text}: there is ${valuesText(constraint.key, unmet)}; change the nodes, or make the constraint soft (${constraint.key}${constraint.operator}~${constraint.value})`];
});

export const swarmWhitelistRemedy: Remedy = (pod, _, cluster) => required(pod, 'whitelists').map(({ value }) => {
  const names = whitelistNames(value);
  const unknown = names.filter((name) => cluster.node(name) === undefined);
  return unknown.length === 0 ? `only ${namesText(names, 'or')} will do: make room there, or name more nodes` : `there is no node ${namesText(unknown, 'or')}: name other nodes, or add one of that name`;
});

export const swarmAffinityRemedy: Remedy = (pod, refused, cluster) => required(pod, 'affinities').flatMap((affinity) => {
  const { matches } = beside(affinity, pod, cluster);
  const unmet = refused.filter((node) => !matches(node));
  if (unmet.length === 0) return [];
  const what = affinity.key === 'container' ? 'a container' : affinity.key === 'image' ? 'an image' : `a container with the label ${affinity.key}`;
  return [affinity.operator === '=='
    ? `${nodesText(unmet.length)} ${unmet.length === 1 ? 'has' : 'have'} not ${what} ${affinity.value}: bring it to a node that has room for the pod, or make the affinity soft (${affinity.key}==~${affinity.value})`
    : `${nodesText(unmet.length)} ${unmet.length === 1 ? 'has' : 'have'} ${what} ${affinity.value}: add a node without it, or make the affinity soft (${affinity.key}!=~${affinity.value})`];
});

export const swarmDependencyRemedy: Remedy = (pod, refused, cluster) => (placementOf(pod)?.dependencies ?? []).flatMap((name) => {
  const { matches } = dependencyOn(name, pod, cluster);
  if (refused.every(matches)) return [];
  const there = cluster.nodes.filter(matches);
  return [there.length === 0 ? `the pod depends on ${name}, which is on no node: start it first` : `the pod depends on ${name}, which is on ${namesText(there.map((node) => node.name))}: make room there`];
});

export const swarmSlotsRemedy: Remedy = ({ containers }, refused) => refused.length === 0 ? [] : [
  `${nodesText(refused.length)} ${refused.length === 1 ? 'has' : 'have'} fewer than ${containers} free container slots (${refused.slice(0, shownValues).map(({ name, slots, containers: used }) => `${name}: ${used} of ${slots}`).join(', ')}${refused.length > shownValues ? ', ...' : ''}): raise the label containerslots, or remove a pod`,
];

export const swarmMaxReplicasRemedy: Remedy = (pod, refused) => {
  const most = placementOf(pod)?.maxReplicasPerNode;
  return most === undefined || refused.length === 0 ? [] : [`${namesText(refused.map(({ name }) => name))} ${refused.length === 1 ? 'has' : 'have'} ${most} of the pod's service already: raise swarm.barge.dev/max-replicas-per-node to ${most + 1}, or add a node`];
};
