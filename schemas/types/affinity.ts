import { as, int32, int64, list, object, oneOf, string, time, type Static } from '../schema.ts';
import { LabelSelector } from '../types/label-selector.ts';

export const NodeSelectorRequirement = object('core.v1.NodeSelectorRequirement', 'One condition on a label or field of a node.', {
  key: string('Label key, or field name, that the condition is about.'),
  operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'], 'How the values are compared.'),
  values: list(string('One value.'), 'Values for In and NotIn, one integer for Gt and Lt, none for Exists and DoesNotExist.', { listType: 'atomic' }),
}, ['key', 'operator']);
export type NodeSelectorRequirement = Static<typeof NodeSelectorRequirement>;

export const NodeSelectorTerm = object('core.v1.NodeSelectorTerm', 'A group of conditions of which all must hold; an empty group matches no node.', {
  matchExpressions: list(NodeSelectorRequirement, "Conditions on the node's labels.", { listType: 'atomic' }),
  matchFields: list(NodeSelectorRequirement, "Conditions on the node's fields; only metadata.name is known.", { listType: 'atomic' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type NodeSelectorTerm = Static<typeof NodeSelectorTerm>;

export const NodeSelector = object('core.v1.NodeSelector', 'Chooses nodes; a node fits when any one term fits.', {
  nodeSelectorTerms: list(NodeSelectorTerm, 'Alternatives, of which one must match.', { listType: 'atomic', minItems: 1 }),
}, ['nodeSelectorTerms'], { 'x-kubernetes-map-type': 'atomic' });
export type NodeSelector = Static<typeof NodeSelector>;

export const PreferredSchedulingTerm = object('core.v1.PreferredSchedulingTerm', 'A wish for nodes, with its weight.', {
  preference: as(NodeSelectorTerm, 'The nodes that are wished for.'),
  weight: int32('How much a node that matches gains, 1 to 100.', { minimum: 1, maximum: 100 }),
}, ['preference', 'weight']);
export type PreferredSchedulingTerm = Static<typeof PreferredSchedulingTerm>;

export const NodeAffinity = object('core.v1.NodeAffinity', 'Rules that draw a pod to nodes.', {
  preferredDuringSchedulingIgnoredDuringExecution: list(PreferredSchedulingTerm, "Wishes that add to a node's score.", { listType: 'atomic' }),
  requiredDuringSchedulingIgnoredDuringExecution: as(NodeSelector, 'Nodes on which the pod may be placed; no others are considered.'),
});
export type NodeAffinity = Static<typeof NodeAffinity>;

export const PodAffinityTerm = object('core.v1.PodAffinityTerm', 'Chooses pods beside which, or away from which, a pod is placed.', {
  labelSelector: as(LabelSelector, 'Labels of the pods that are meant; absent means none.'),
  matchLabelKeys: list(string('Label key.'), 'Keys whose values are taken from the incoming pod and added as conditions that must be equal.', { listType: 'atomic' }),
  mismatchLabelKeys: list(string('Label key.'), 'Keys whose values are taken from the incoming pod and added as conditions that must differ.', { listType: 'atomic' }),
  namespaceSelector: as(LabelSelector, 'Labels of the namespaces in which the pods are looked for, beside those named.'),
  namespaces: list(string('Namespace.'), "Namespaces in which the pods are looked for; empty means the pod's own.", { listType: 'atomic' }),
  topologyKey: string('Node label whose value says which nodes count as one place.', { minLength: 1 }),
}, ['topologyKey']);
export type PodAffinityTerm = Static<typeof PodAffinityTerm>;

export const WeightedPodAffinityTerm = object('core.v1.WeightedPodAffinityTerm', 'A wish about neighbours, with its weight.', {
  podAffinityTerm: as(PodAffinityTerm, 'The neighbours that are meant.'),
  weight: int32('How much a node that matches gains, 1 to 100.', { minimum: 1, maximum: 100 }),
}, ['podAffinityTerm', 'weight']);
export type WeightedPodAffinityTerm = Static<typeof WeightedPodAffinityTerm>;

export const PodAffinity = object('core.v1.PodAffinity', 'Rules that draw a pod to other pods.', {
  preferredDuringSchedulingIgnoredDuringExecution: list(WeightedPodAffinityTerm, "Wishes that add to a node's score.", { listType: 'atomic' }),
  requiredDuringSchedulingIgnoredDuringExecution: list(PodAffinityTerm, 'Conditions that a node must meet.', { listType: 'atomic' }),
});
export type PodAffinity = Static<typeof PodAffinity>;

export const PodAntiAffinity = object('core.v1.PodAntiAffinity', 'Rules that keep a pod away from other pods.', {
  preferredDuringSchedulingIgnoredDuringExecution: list(WeightedPodAffinityTerm, "Wishes that add to a node's score.", { listType: 'atomic' }),
  requiredDuringSchedulingIgnoredDuringExecution: list(PodAffinityTerm, 'Conditions that a node must meet.', { listType: 'atomic' }),
});
export type PodAntiAffinity = Static<typeof PodAntiAffinity>;

export const Affinity = object('core.v1.Affinity', 'All rules of attraction and repulsion for placing a pod.', {
  nodeAffinity: as(NodeAffinity, 'Rules about nodes.'),
  podAffinity: as(PodAffinity, 'Rules that draw the pod to other pods.'),
  podAntiAffinity: as(PodAntiAffinity, 'Rules that keep the pod away from other pods.'),
});
export type Affinity = Static<typeof Affinity>;

export const Taint = object('core.v1.Taint', 'A mark on a node that keeps away the pods that do not tolerate it.', {
  effect: oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], 'What happens to pods that do not tolerate the taint.'),
  key: string('Name of the taint.', { minLength: 1 }),
  timeAdded: time('When the taint was put on, for NoExecute.'),
  value: string('Value that belongs to the key.'),
}, ['effect', 'key']);
export type Taint = Static<typeof Taint>;

export const Toleration = object('core.v1.Toleration', 'Lets a pod onto nodes with a taint.', {
  effect: oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], 'Effect that is tolerated; absent means every effect.'),
  key: string('Key of the tolerated taint; absent, with operator Exists, means every key.'),
  operator: oneOf(['Equal', 'Exists'], 'Equal (the default) wants the same value, Exists takes any.'),
  tolerationSeconds: int64('How long a NoExecute taint is tolerated; absent means for ever.'),
  value: string('Value of the tolerated taint, for Equal.'),
});
export type Toleration = Static<typeof Toleration>;

export const TopologySpreadConstraint = object('core.v1.TopologySpreadConstraint', 'How evenly pods are to be spread over places.', {
  labelSelector: as(LabelSelector, 'Pods that are counted.'),
  matchLabelKeys: list(string('Label key.'), 'Keys whose values are taken from the incoming pod and added to the selector.', { listType: 'atomic' }),
  maxSkew: int32('By how many pods the fullest place may exceed the emptiest.', { minimum: 1 }),
  minDomains: int32('Least number of places; when fewer are eligible, the emptiest counts as having none.', { minimum: 1 }),
  nodeAffinityPolicy: oneOf(['Honor', 'Ignore'], "Whether nodes that the pod's affinity excludes are left out of the count."),
  nodeTaintsPolicy: oneOf(['Honor', 'Ignore'], 'Whether nodes with taints that the pod does not tolerate are left out of the count.'),
  topologyKey: string('Node label whose value says which nodes count as one place.', { minLength: 1 }),
  whenUnsatisfiable: oneOf(['DoNotSchedule', 'ScheduleAnyway'], 'What to do with a pod that would break the rule.'),
}, ['maxSkew', 'topologyKey', 'whenUnsatisfiable']);
export type TopologySpreadConstraint = Static<typeof TopologySpreadConstraint>;
