import type { Filter } from '../framework.ts';
import { whitelistMatch } from '../swarm/node-match.ts';
import { refuseUnmet, required } from '../swarm/required.ts';

/** Keeps a pod to the nodes that all of its whitelists name. */
export const swarmWhitelist: Filter = {
  name: 'SwarmWhitelist',
  isLocal: () => true,
  wokenBy: ['nodeAdded'],
  prepare: (pod) => refuseUnmet(required(pod, 'whitelists'), whitelistMatch, "node(s) weren't on Swarm whitelist"),
};
