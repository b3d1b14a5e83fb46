import type { Filter } from '../framework.ts';

const reason = "node(s) didn't match the requested node name";

/** Keeps a pod that names a node to that node. */
export const nodeName: Filter = {
  name: 'NodeName',
  isLocal: () => true,
  wokenBy: ['nodeAdded'],
  prepare: ({ pod }) => {
    const wanted = pod.spec?.nodeName;
    return wanted === undefined || wanted === '' ? undefined : ({ name }) => (name === wanted ? undefined : reason);
  },
  narrow: ({ pod }) => {
    const wanted = pod.spec?.nodeName;
    return wanted === undefined || wanted === '' ? undefined : { names: [wanted], reason };
  },
};
