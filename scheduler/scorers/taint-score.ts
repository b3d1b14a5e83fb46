import { toleratedBy } from '../../schemas/tolerations.ts';
import type { Scorer } from '../framework.ts';
import { fewerIsBetter } from './normalise.ts';

/** The fewer PreferNoSchedule taints that the pod does not tolerate the better. */
export const taintScore: Scorer = {
  name: 'taintToleration',
  normalise: fewerIsBetter,
  prepare: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? [];
    return ({ softTaints }) => (softTaints.length === 0 ? 0 : softTaints.filter((taint) => !toleratedBy(tolerations, taint)).length);
  },
};
