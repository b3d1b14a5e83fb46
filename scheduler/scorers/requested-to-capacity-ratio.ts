import type { Scorer } from '../framework.ts';
import { allocation, type ResourceWeights } from './allocation.ts';

/** A corner of the line from utilisation (percent) to score (0 to 10). */
export interface RatioPoint {
  readonly utilization: number;
  readonly score: number;
}

/** The score on the line through these points at a utilisation; flat before the first and after the last. */
const onLine = (points: readonly RatioPoint[], utilization: number): number => {
  const at = points.findIndex((point) => utilization <= point.utilization);
  const to = points[at === -1 ? points.length - 1 : at]!;
  const from = points[at - 1];
  if (at < 1 || from === undefined) return 10 * to.score;
  return 10 * from.score + Math.trunc(10 * (to.score - from.score) * (utilization - from.utilization) / (to.utilization - from.utilization));
};

/** A line of the administrator's own from how full a node is to how good. Resources that score nothing have no part in the mean. */
export const requestedToCapacityRatio = (resources: ResourceWeights, shape: readonly RatioPoint[]): Scorer => ({
  name: 'requestedToCapacityRatio',
  prepare: (pod) => {
    const all = Object.entries(resources).map(([name, weight]) => ({ of: allocation(name, pod, 'assumed'), weight }));
    return (node) => {
      let [total, weights] = [0, 0];
      for (const { of, weight } of all) {
        const { has, given } = of(node);
        if (has === 0) continue;
        const score = onLine(shape, given > has ? 100 : Math.floor(given * 100 / has));
        if (score === 0) continue;
        total += weight * score;
        weights += weight;
      }
      return weights === 0 ? 0 : Math.round(total / weights);
    };
  },
});
