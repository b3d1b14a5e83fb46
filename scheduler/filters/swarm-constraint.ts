import { swarmPlacement, validateSwarmAnnotations } from '../../schemas/swarm/placement.ts';
import type { Filter } from '../framework.ts';
import { constraintMatch } from '../swarm/node-match.ts';

/** Keeps a pod to nodes that meet all of its constraints in Docker Swarm's language; soft ones are a sieve's. */
export const swarmConstraint: Filter = {
  name: 'SwarmConstraint',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeLabels', 'nodeFacts'],
  misread: ({ pod }) => {
    const [error] = validateSwarmAnnotations(pod.metadata.annotations, 'metadata.annotations');
    return error === undefined ? undefined : `${error.field}: ${error.message}`;
  },
  prepare: ({ pod }) => {
    const required = (swarmPlacement(pod.metadata.annotations)?.constraints ?? []).filter(({ soft }) => !soft).map((constraint) => ({ constraint, matches: constraintMatch(constraint) }));
    if (required.length === 0) return undefined;
    return ({ node }) => {
      const unmet = node === undefined ? undefined : required.find(({ matches }) => !matches(node));
      return unmet === undefined ? undefined : `node(s) didn't match Swarm constraint ${unmet.constraint.text}`;
    };
  },
};
