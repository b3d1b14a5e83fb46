import { swarmPlacement } from '../../schemas/swarm/placement.ts';
import type { Filter } from '../framework.ts';
import { whitelistMatch } from '../swarm/node-match.ts';

/** Keeps a pod to the nodes that all of its whitelists name. */
export const swarmWhitelist: Filter = {
  name: 'SwarmWhitelist',
  isLocal: () => true,
  wokenBy: ['nodeAdded'],
  prepare: ({ pod }) => {
    const required = (swarmPlacement(pod.metadata.annotations)?.whitelists ?? []).filter(({ soft }) => !soft).map((whitelist) => ({ whitelist, matches: whitelistMatch(whitelist) }));
    if (required.length === 0) return undefined;
    return ({ node }) => {
      const unmet = node === undefined ? undefined : required.find(({ matches }) => !matches(node));
      return unmet === undefined ? undefined : `node(s) weren't on Swarm whitelist ${unmet.whitelist.text}`;
    };
  },
};
