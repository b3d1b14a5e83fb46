/** Topology spread constraints of a pod, with the counts that they compare. */
import { labelMatcher, type LabelMatcher } from '../schemas/label-selector.ts';
import { nodeMatchOf } from '../schemas/node-selector.ts';
import { toleratedBy } from '../schemas/tolerations.ts';
import type { TopologySpreadConstraint } from '../schemas/types/affinity.ts';
import type { Cluster } from './cluster.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { withLabelKeys } from './pod-terms.ts';
import type { TopologyCount } from './topology-count.ts';

export interface SpreadConstraint {
  readonly said: TopologySpreadConstraint;
  readonly count: TopologyCount;
  /** 1 where the pod itself would be counted, else 0. */
  readonly self: 0 | 1;
  readonly isCounted: (other: PodInfo) => boolean;
}

const selectorOf = (said: TopologySpreadConstraint, pod: PodInfo): LabelMatcher | undefined => {
  const selector = withLabelKeys(said.labelSelector, pod.pod.metadata.labels ?? {}, { match: said.matchLabelKeys });
  return selector === undefined ? undefined : labelMatcher(selector);
};

/**
 * The pod's constraints of one kind. Nodes that lack a key of one of them are no place for any; those that the pod's node
 * affinity excludes do not count unless it says so, tainted ones do.
 */
export const spreadConstraints = (pod: PodInfo, cluster: Cluster, whenUnsatisfiable: TopologySpreadConstraint['whenUnsatisfiable']): readonly SpreadConstraint[] => {
  const { spec, metadata: { namespace, labels } } = pod.pod;
  const constraints = (spec?.topologySpreadConstraints ?? []).filter((one) => one.whenUnsatisfiable === whenUnsatisfiable);
  const keys = [...new Set(constraints.map(({ topologyKey }) => topologyKey))].sort();
  const nodeMatch = nodeMatchOf(spec);
  const tolerations = spec?.tolerations ?? [];
  return constraints.map((said) => {
    const matcher = selectorOf(said, pod);
    // Pods on their way out make room.
    const isCounted = (other: PodInfo): boolean =>
      matcher !== undefined && other.pod.metadata.namespace === namespace && other.pod.metadata.deletionTimestamp === undefined && matcher.matches(other.pod.metadata.labels);
    const honorsAffinity = said.nodeAffinityPolicy !== 'Ignore' && nodeMatch !== undefined;
    const honorsTaints = said.nodeTaintsPolicy === 'Honor';
    const eligible = (node: NodeInfo): boolean => keys.every((key) => node.labels[key] !== undefined) && (!honorsAffinity || nodeMatch(node))
      && (!honorsTaints || node.hardTaints.every((taint) => toleratedBy(tolerations, taint)));
    const text = JSON.stringify([said.topologyKey, namespace, matcher?.toString() ?? null, keys, honorsAffinity ? [spec?.nodeSelector, spec?.affinity?.nodeAffinity] : null, honorsTaints ? tolerations : null]);
    return {
      said, isCounted, self: matcher?.matches(labels) === true ? 1 : 0,
      count: cluster.count(`spread ${text}`, () => ({ topologyKey: said.topologyKey, matches: isCounted, eligible })),
    };
  });
};
