import type { Scorer } from '../framework.ts';
import { defaultConstraints, hasOwnConstraints, spreadConstraints, type DefaultSpread } from '../spread-constraints.ts';
import { emptiestOfPlaces } from './normalise.ts';

/** The emptiest place for each constraint that a pod would like to be kept. Keys with few places weigh less, as in Kubernetes. */
export const spreadScore: Scorer = {
  name: 'topologySpread',
  normalise: emptiestOfPlaces,
  prepare: (pod, cluster) => spreadingBy(spreadConstraints(pod, cluster, 'ScheduleAnyway'), { needsAllKeys: true }),
};

/** The same, and pods that have no constraints at all are spread by these. */
export const spreadScoreWith = (spread: DefaultSpread): Scorer => ({
  ...spreadScore,
  prepare: (pod, cluster) => (hasOwnConstraints(pod) ? spreadScore.prepare(pod, cluster) : spreadingBy(defaultConstraints(pod, cluster, spread), spread)),
  dependsOn: (pod, cluster) => {
    const selector = hasOwnConstraints(pod) ? undefined : cluster.selectors.of(pod);
    return selector === undefined ? '' : JSON.stringify(selector);
  },
});

const spreadingBy = (constraints: ReturnType<typeof spreadConstraints>, { needsAllKeys }: Pick<DefaultSpread, 'needsAllKeys'>): ReturnType<Scorer['prepare']> => {
  if (constraints.length === 0) return undefined;
  return (node) => {
    let total = 0;
    for (const { said, count } of constraints) {
      const there = count.at(node);
      if (there !== undefined) total += there * Math.log(count.domains + 2) + (said.maxSkew - 1);
      else if (needsAllKeys) return Number.NaN;
    }
    return Math.round(total);
  };
};
