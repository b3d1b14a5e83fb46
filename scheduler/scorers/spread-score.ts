import type { Scorer } from '../framework.ts';
import { spreadConstraints } from '../spread-constraints.ts';
import { emptiestOfPlaces } from './normalise.ts';

/** The emptiest place for each constraint that a pod would like to be kept. Keys with few places weigh less, as in Kubernetes. */
export const spreadScore: Scorer = {
  name: 'topologySpread',
  normalise: emptiestOfPlaces,
  prepare: (pod, cluster) => {
    const constraints = spreadConstraints(pod, cluster, 'ScheduleAnyway');
    if (constraints.length === 0) return undefined;
    return (node) => {
      let total = 0;
      for (const { said, count } of constraints) {
        const there = count.at(node);
        if (there === undefined) return Number.NaN;
        total += there * Math.log(count.domains + 2) + (said.maxSkew - 1);
      }
      return Math.round(total);
    };
  },
};
