/** Terms of affinity between pods: which other pods they mean, worked out once. */
import { labelMatcher } from '../schemas/label-selector.ts';
import type { PodAffinityTerm, WeightedPodAffinityTerm } from '../schemas/types/affinity.ts';
import type { LabelSelector } from '../schemas/types/label-selector.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';

type Labels = Readonly<Record<string, string>>;

/** Labels of namespaces by name, for terms that choose namespaces by them. */
export type NamespaceLabels = (name: string) => Labels | undefined;

export interface PodTerm {
  readonly topologyKey: string;
  /** Says all about the term: equal terms have equal texts. */
  readonly text: string;
  /** Whether a pod of this namespace and with these labels is meant. */
  readonly matches: (namespace: string, labels: Labels | undefined) => boolean;
}

/** A selector with what `matchLabelKeys` and `mismatchLabelKeys` take from the pod's own labels; keys that it lacks do not count. */
export const withLabelKeys = (selector: LabelSelector | undefined, labels: Labels, keys: { readonly match?: readonly string[] | undefined; readonly mismatch?: readonly string[] | undefined }): LabelSelector | undefined => {
  if (selector === undefined) return undefined;
  const more = ([['In', keys.match], ['NotIn', keys.mismatch]] as const)
    .flatMap(([operator, list = []]) => list.filter((key) => Object.hasOwn(labels, key)).map((key) => ({ key, operator, values: [labels[key]!] })));
  return more.length === 0 ? selector : { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...more] };
};

/** A term of a pod. Without namespaces and namespaceSelector it means the pod's own; an absent selector means no pod, an empty one all. */
export const podTerm = (term: PodAffinityTerm, pod: Pod, namespaceLabels: NamespaceLabels): PodTerm => {
  const { namespace: own = '', labels = {} } = pod.metadata;
  const selector = withLabelKeys(term.labelSelector, labels, { match: term.matchLabelKeys, mismatch: term.mismatchLabelKeys });
  const names = (term.namespaces?.length ?? 0) === 0 && term.namespaceSelector === undefined ? [own] : term.namespaces ?? [];
  const namespaces = new Set(names);
  const byLabels = term.namespaceSelector === undefined ? undefined : labelMatcher(term.namespaceSelector);
  const matcher = selector === undefined ? undefined : labelMatcher(selector);
  return {
    topologyKey: term.topologyKey,
    text: JSON.stringify([term.topologyKey, [...namespaces].sort(), term.namespaceSelector ?? null, selector ?? null]),
    matches: (namespace, others) => matcher !== undefined && matcher.matches(others)
      && (namespaces.has(namespace) || (byLabels !== undefined && byLabels.matches(namespaceLabels(namespace)))),
  };
};

export interface PodTerms {
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  readonly preferred: readonly { readonly term: PodTerm; readonly weight: number }[];
}

const none: PodTerms = Object.freeze({ affinity: [], antiAffinity: [], preferred: [] });

/** All terms of a pod; those that it would rather avoid have a negative weight. */
export const podTermsOf = (pod: Pod, namespaceLabels: NamespaceLabels): PodTerms => {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return none;
  const term = (one: PodAffinityTerm): PodTerm => podTerm(one, pod, namespaceLabels);
  const weighed = (list: readonly WeightedPodAffinityTerm[] | undefined, sign: 1 | -1) => (list ?? []).map(({ weight, podAffinityTerm }) => ({ term: term(podAffinityTerm), weight: sign * weight }));
  return {
    affinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term),
    antiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term),
    preferred: [...weighed(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1), ...weighed(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1)],
  };
};
