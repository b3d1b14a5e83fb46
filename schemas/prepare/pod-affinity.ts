import type { Draft } from '../frozen.ts';
import type { PodAffinity, PodAffinityTerm } from '../types/affinity.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import type { PodSpec } from '../types/pod-spec.ts';

interface PodLike {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
}

const mergeInto = (term: Draft<PodAffinityTerm>, labels: Readonly<Record<string, string>>): void => {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  // Without a selector the term means no pods at all, and the checks refuse the keys.
  if (labelSelector === undefined || labelSelector === null) return;
  const conditions = [...matchLabelKeys.map((key) => ({ key, operator: 'In' as const })), ...mismatchLabelKeys.map((key) => ({ key, operator: 'NotIn' as const }))]
    .flatMap(({ key, operator }) => (Object.hasOwn(labels, key) ? [{ key, operator, values: [labels[key]!] }] : []));
  if (conditions.length > 0) labelSelector.matchExpressions = [...(labelSelector.matchExpressions ?? []), ...conditions];
};

const termsOf = (affinity: Draft<PodAffinity> | undefined): readonly Draft<PodAffinityTerm>[] => [
  ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((wish) => wish.podAffinityTerm ?? []),
];

/**
 * Writes the pod's own values of `matchLabelKeys` and `mismatchLabelKeys` into the selectors of its affinity, so that whoever
 * places pods looks at selectors alone. A new pod gets this once: its labels may change later, its neighbours may not.
 */
export const generatePodAffinity = ({ metadata, spec }: Draft<PodLike>): void => {
  if (spec?.affinity === undefined || spec.affinity === null) return;
  const { podAffinity, podAntiAffinity } = spec.affinity;
  for (const term of [...termsOf(podAffinity), ...termsOf(podAntiAffinity)]) mergeInto(term, metadata.labels ?? {});
};
