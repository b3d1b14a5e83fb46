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

/** How pods are spread that do not say it themselves: by what selects them (`DefaultSelectors`). Such constraints rank nodes and refuse none. */
export interface DefaultSpread {
  readonly constraints: readonly Pick<TopologySpreadConstraint, 'maxSkew' | 'topologyKey'>[];
  /** Whether nodes that lack the key of one constraint are no place for any; else they still count for those whose key they have. */
  readonly needsAllKeys: boolean;
}

/** Kubernetes' defaults where an administrator gives none: by host and, less strictly, by zone, where nodes have zones. */
export const systemSpread: DefaultSpread = {
  constraints: [{ maxSkew: 3, topologyKey: 'kubernetes.io/hostname' }, { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone' }],
  needsAllKeys: false,
};

const selectorOf = (said: TopologySpreadConstraint, pod: PodInfo): LabelMatcher | undefined => {
  const selector = withLabelKeys(said.labelSelector, pod.pod.metadata.labels ?? {}, { match: said.matchLabelKeys });
  return selector === undefined ? undefined : labelMatcher(selector);
};

/**
 * The pod's constraints of one kind. Nodes that lack a key of one of them are no place for any; those that the pod's node
 * affinity excludes do not count unless it says so, tainted ones do.
 */
export const spreadConstraints = (pod: PodInfo, cluster: Cluster, whenUnsatisfiable: TopologySpreadConstraint['whenUnsatisfiable']): readonly SpreadConstraint[] => {
  const constraints = (pod.pod.spec?.topologySpreadConstraints ?? []).filter((one) => one.whenUnsatisfiable === whenUnsatisfiable);
  const keys = keysOf(constraints);
  return constraints.map((said) => counted(said, keys, pod, cluster));
};

/** The constraints of a pod that has none of its own; none where nothing selects it. */
export const defaultConstraints = (pod: PodInfo, cluster: Cluster, { constraints, needsAllKeys }: DefaultSpread): readonly SpreadConstraint[] => {
  const labelSelector = hasOwnConstraints(pod) ? undefined : cluster.selectors.of(pod);
  if (labelSelector === undefined) return [];
  const keys = keysOf(constraints);
  return constraints.map((one) => counted({ ...one, whenUnsatisfiable: 'ScheduleAnyway', labelSelector }, needsAllKeys ? keys : [one.topologyKey], pod, cluster));
};

/** Whether a pod says itself how it is to be spread, in whatever way. */
export const hasOwnConstraints = ({ pod }: PodInfo): boolean => (pod.spec?.topologySpreadConstraints ?? []).length > 0;

const keysOf = (constraints: readonly { readonly topologyKey: string }[]): readonly string[] => [...new Set(constraints.map(({ topologyKey }) => topologyKey))].sort();

const counted = (said: TopologySpreadConstraint, keys: readonly string[], pod: PodInfo, cluster: Cluster): SpreadConstraint => {
  const { spec, metadata: { namespace, labels } } = pod.pod;
  const nodeMatch = nodeMatchOf(spec);
  const tolerations = spec?.tolerations ?? [];
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
};
