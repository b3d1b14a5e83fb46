import { validateSwarmAnnotations } from '../../schemas/swarm/placement.ts';
import type { Filter } from '../framework.ts';
import { constraintMatch } from '../swarm/node-match.ts';
import { refuseUnmet, required } from '../swarm/required.ts';

/** Keeps a pod to nodes that meet all of its constraints in Docker Swarm's language; soft ones are a sieve's. */
export const swarmConstraint: Filter = {
  name: 'SwarmConstraint',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeLabels', 'nodeFacts'],
  misread: ({ pod }) => {
    const [error] = validateSwarmAnnotations(pod.metadata.annotations, 'metadata.annotations');
    return error === undefined ? undefined : `${error.field}: ${error.message}`;
  },
  prepare: (pod) => refuseUnmet(required(pod, 'constraints'), constraintMatch, "node(s) didn't match Swarm constraint"),
};
