import type { Filter } from '../framework.ts';
import { namesOf, termMatch } from './node-selector.ts';

const reason = "node(s) didn't match Pod's node affinity/selector";

/** Keeps pods to nodes that have all labels of their node selector and match a term of their required node affinity. */
export const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  wokenBy: ['nodeAdded', 'nodeLabels'],
  prepare: ({ pod }) => {
    const selector = Object.entries(pod.spec?.nodeSelector ?? {});
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (selector.length === 0 && required === undefined) return undefined;
    const terms = required?.nodeSelectorTerms.map(termMatch);
    return (node) => {
      const fits = selector.every(([key, value]) => node.labels[key] === value) && (terms === undefined || terms.some((matches) => matches(node)));
      return fits ? undefined : reason;
    };
  },
  narrow: ({ pod }) => {
    const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map(namesOf) ?? [];
    const names = terms.every((term) => term !== undefined) ? terms.flat() : [];
    return names.length === 0 ? undefined : { names, reason };
  },
};
