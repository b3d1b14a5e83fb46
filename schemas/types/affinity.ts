import { int32, int64, list, object, string, time, type Static } from '../schema.ts';
import { LabelSelector } from '../types/label-selector.ts';

export const NodeSelectorRequirement = object('core.v1.NodeSelectorRequirement', '', {
  key: string(''),
  operator: string(''),
  values: list(string(''), '', { listType: 'atomic' }),
}, ['key', 'operator']);
export type NodeSelectorRequirement = Static<typeof NodeSelectorRequirement>;

export const NodeSelectorTerm = object('core.v1.NodeSelectorTerm', '', {
  matchExpressions: list(NodeSelectorRequirement, '', { listType: 'atomic' }),
  matchFields: list(NodeSelectorRequirement, '', { listType: 'atomic' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type NodeSelectorTerm = Static<typeof NodeSelectorTerm>;

export const NodeSelector = object('core.v1.NodeSelector', '', {
  nodeSelectorTerms: list(NodeSelectorTerm, '', { listType: 'atomic' }),
}, ['nodeSelectorTerms'], { 'x-kubernetes-map-type': 'atomic' });
export type NodeSelector = Static<typeof NodeSelector>;

export const PreferredSchedulingTerm = object('core.v1.PreferredSchedulingTerm', '', {
  preference: NodeSelectorTerm,
  weight: int32(''),
}, ['preference', 'weight']);
export type PreferredSchedulingTerm = Static<typeof PreferredSchedulingTerm>;

export const NodeAffinity = object('core.v1.NodeAffinity', '', {
  preferredDuringSchedulingIgnoredDuringExecution: list(PreferredSchedulingTerm, '', { listType: 'atomic' }),
  requiredDuringSchedulingIgnoredDuringExecution: NodeSelector,
});
export type NodeAffinity = Static<typeof NodeAffinity>;

export const PodAffinityTerm = object('core.v1.PodAffinityTerm', '', {
  labelSelector: LabelSelector,
  matchLabelKeys: list(string(''), '', { listType: 'atomic' }),
  mismatchLabelKeys: list(string(''), '', { listType: 'atomic' }),
  namespaceSelector: LabelSelector,
  namespaces: list(string(''), '', { listType: 'atomic' }),
  topologyKey: string(''),
}, ['topologyKey']);
export type PodAffinityTerm = Static<typeof PodAffinityTerm>;

export const WeightedPodAffinityTerm = object('core.v1.WeightedPodAffinityTerm', '', {
  podAffinityTerm: PodAffinityTerm,
  weight: int32(''),
}, ['podAffinityTerm', 'weight']);
export type WeightedPodAffinityTerm = Static<typeof WeightedPodAffinityTerm>;

export const PodAffinity = object('core.v1.PodAffinity', '', {
  preferredDuringSchedulingIgnoredDuringExecution: list(WeightedPodAffinityTerm, '', { listType: 'atomic' }),
  requiredDuringSchedulingIgnoredDuringExecution: list(PodAffinityTerm, '', { listType: 'atomic' }),
});
export type PodAffinity = Static<typeof PodAffinity>;

export const PodAntiAffinity = object('core.v1.PodAntiAffinity', '', {
  preferredDuringSchedulingIgnoredDuringExecution: list(WeightedPodAffinityTerm, '', { listType: 'atomic' }),
  requiredDuringSchedulingIgnoredDuringExecution: list(PodAffinityTerm, '', { listType: 'atomic' }),
});
export type PodAntiAffinity = Static<typeof PodAntiAffinity>;

export const Affinity = object('core.v1.Affinity', '', {
  nodeAffinity: NodeAffinity,
  podAffinity: PodAffinity,
  podAntiAffinity: PodAntiAffinity,
});
export type Affinity = Static<typeof Affinity>;

export const Taint = object('core.v1.Taint', '', {
  effect: string(''),
  key: string(''),
  timeAdded: time(''),
  value: string(''),
}, ['effect', 'key']);
export type Taint = Static<typeof Taint>;

export const Toleration = object('core.v1.Toleration', '', {
  effect: string(''),
  key: string(''),
  operator: string(''),
  tolerationSeconds: int64(''),
  value: string(''),
});
export type Toleration = Static<typeof Toleration>;

export const TopologySpreadConstraint = object('core.v1.TopologySpreadConstraint', '', {
  labelSelector: LabelSelector,
  matchLabelKeys: list(string(''), '', { listType: 'atomic' }),
  maxSkew: int32(''),
  minDomains: int32(''),
  nodeAffinityPolicy: string(''),
  nodeTaintsPolicy: string(''),
  topologyKey: string(''),
  whenUnsatisfiable: string(''),
}, ['maxSkew', 'topologyKey', 'whenUnsatisfiable']);
export type TopologySpreadConstraint = Static<typeof TopologySpreadConstraint>;
