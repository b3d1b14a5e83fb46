import type { Filter } from '../framework.ts';

/** Keeps pods off nodes whose label `containerslots` says that they have no room for so many containers more. */
export const swarmSlots: Filter = {
  name: 'SwarmSlots',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeLabels', 'nodeFacts', 'podGone'],
  // Most clusters have no such node, and then it must cost nothing.
  prepare: ({ containers }, cluster) => (cluster.limitsSlots ? (node) => (node.containers + containers > node.slots ? "node(s) didn't have enough free container slots" : undefined) : undefined),
};
