import { swarmPlacement } from '../../schemas/swarm/placement.ts';
import type { Sieve } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { beside } from '../swarm/beside.ts';
import { constraintMatch, whitelistMatch, type NodeMatch } from '../swarm/node-match.ts';

/**
 * Nodes that meet every soft expression of a pod, where there are such ones; else all of them, as if it had none. Classic
 * Swarm, too, first tries with all soft expressions and then without any.
 */
export const swarmSoft: Sieve = {
  name: 'SwarmSoft',
  prepare: (pod, cluster) => {
    const placement = swarmPlacement(pod.pod.metadata.annotations);
    if (placement === undefined) return undefined;
    const { constraints, whitelists, affinities } = placement;
    const isSoft = ({ soft }: { readonly soft: boolean }): boolean => soft;
    const ofNode = (matches: NodeMatch) => ({ node }: NodeInfo): boolean => node !== undefined && matches(node);
    const checks = [
      ...constraints.filter(isSoft).map((one) => ofNode(constraintMatch(one))),
      ...whitelists.filter(isSoft).map((one) => ofNode(whitelistMatch(one))),
      ...affinities.filter(isSoft).map((one) => beside(one, pod, cluster).matches),
    ];
    if (checks.length === 0) return undefined;
    return (nodes) => {
      const meant = nodes.filter((node) => checks.every((check) => check(node)));
      return meant.length > 0 ? meant : nodes;
    };
  },
};
