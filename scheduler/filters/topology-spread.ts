import type { Filter } from '../framework.ts';
import { spreadConstraints } from '../spread-constraints.ts';

const reason = "node(s) didn't match pod topology spread constraints";
const noPlace = `${reason} (missing required label)`;

/** Keeps the fullest place from exceeding the emptiest by more than a pod's constraints allow. */
export const topologySpread: Filter = {
  name: 'TopologySpread',
  wokenBy: ['nodeAdded', 'nodeGone', 'nodeLabels', 'nodeTaints', 'podGone', 'podPlaced'],
  isLasting: (_pod, _node, why) => why === noPlace,
  prepare: (pod, cluster) => {
    const constraints = spreadConstraints(pod, cluster, 'DoNotSchedule');
    if (constraints.length === 0) return undefined;
    return (node) => {
      for (const { said, count, self } of constraints) {
        const there = count.at(node);
        if (there === undefined) return noPlace;
        const least = count.domains < (said.minDomains ?? 1) ? 0 : count.least;
        if (there + self - least > said.maxSkew) return reason;
      }
      return undefined;
    };
  },
  helpedBy: (pod, cluster) => {
    const constraints = spreadConstraints(pod, cluster, 'DoNotSchedule');
    return constraints.length === 0 ? undefined : (other) => constraints.some(({ isCounted }) => isCounted(other));
  },
};
