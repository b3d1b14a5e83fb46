import { namesOf, nodeMatchOf } from '../../schemas/node-selector.ts';
import type { Filter } from '../framework.ts';

const reason = "node(s) didn't match Pod's node affinity/selector";

/** Keeps pods to nodes that have all labels of their node selector and match a term of their required node affinity. */
export const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeLabels'],
  prepare: ({ pod }) => {
    const matches = nodeMatchOf(pod.spec);
    return matches === undefined ? undefined : (node) => (matches(node) ? undefined : reason);
  },
  narrow: ({ pod }) => {
    const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map(namesOf) ?? [];
    const names = terms.every((term) => term !== undefined) ? terms.flat() : [];
    return names.length === 0 ? undefined : { names, reason };
  },
};
