import { termMatch } from '../../schemas/node-selector.ts';
import type { Scorer } from '../framework.ts';
import { shareOfMost } from './normalise.ts';

/** The weight of a pod's preferred node affinity that a node meets, beside the node that meets most. */
export const nodeAffinityScore: Scorer = {
  name: 'nodeAffinity',
  normalise: shareOfMost,
  prepare: ({ pod }) => {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    // An empty term is a null preference here: it prefers nothing.
    const terms = preferred.filter(({ weight }) => weight > 0).map(({ preference, weight }) => ({ matches: termMatch(preference), weight }));
    return terms.length === 0 ? undefined : (node) => terms.reduce((sum, { matches, weight }) => (matches(node) ? sum + weight : sum), 0);
  },
};
