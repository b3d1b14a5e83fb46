import { termMatch } from '../../schemas/node-selector.ts';
import type { Scorer } from '../framework.ts';

/** The share of a pod's preferred node affinity, by weight, that a node meets. */
export const preferredAffinity: Scorer = {
  name: 'PreferredAffinity',
  prepare: ({ pod }) => {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    // An empty term is a null preference here: it prefers nothing.
    const terms = preferred.filter(({ weight }) => weight > 0).map(({ preference, weight }) => ({ matches: termMatch(preference), weight }));
    const total = terms.reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) return undefined;
    return (node) => 100 * terms.reduce((sum, { matches, weight }) => (matches(node) ? sum + weight : sum), 0) / total;
  },
};
