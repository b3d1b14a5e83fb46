import type { Filter } from '../framework.ts';

/** Keeps a pod off nodes where another has a host port that it wants. */
export const ports: Filter = {
  name: 'Ports',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'podGone'],
  prepare: ({ ports: wanted }) => (wanted.length === 0
    ? undefined
    : (node) => (node.ports.conflicts(wanted) ? "node(s) didn't have free ports for the requested pod ports" : undefined)),
};
