import type { Scorer } from '../framework.ts';
import { spreadConstraints } from '../spread-constraints.ts';

/** The emptiest place for each constraint that a pod would like to be kept. Keys with few places weigh less, as in Kubernetes. */
export const spreadScore: Scorer = {
  name: 'TopologySpread',
  relative: true,
  prepare: (pod, cluster) => {
    const constraints = spreadConstraints(pod, cluster, 'ScheduleAnyway');
    if (constraints.length === 0) return undefined;
    return (node) => {
      let total = 0;
      // A node that is no place at all for a constraint counts as the fullest.
      for (const { said, count } of constraints) total += (count.at(node) ?? count.total) * Math.log(count.domains + 2) + (said.maxSkew - 1);
      return -total;
    };
  },
};
