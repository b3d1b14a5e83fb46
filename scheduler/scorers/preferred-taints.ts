import { toleratedBy } from '../../schemas/tolerations.ts';
import type { Scorer } from '../framework.ts';

/** 100 for a node without PreferNoSchedule taints that the pod does not tolerate, 50 for one such taint, 33 for two. */
export const preferredTaints: Scorer = {
  name: 'PreferredTaints',
  prepare: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? [];
    return ({ node }) => {
      let bad = 0;
      for (const taint of node?.spec?.taints ?? []) if (taint.effect === 'PreferNoSchedule' && !toleratedBy(tolerations, taint)) bad++;
      return 100 / (1 + bad);
    };
  },
};
