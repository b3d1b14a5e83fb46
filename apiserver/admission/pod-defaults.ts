import type { Draft } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { AdmissionPlugin } from './admission.ts';

type PodDraft = Draft<Pod>;

/** How long pods stay on a node in trouble that do not say so themselves. */
export interface NodePatience {
  /** On a node that says it is not ready: 300, as in Kubernetes. */
  readonly notReadySeconds: number;
  /** On a node that says nothing any more: 10, so that its pods run elsewhere within 30 s; 300 in Kubernetes. */
  readonly unreachableSeconds: number;
}

export const defaultPatience: NodePatience = { notReadySeconds: 300, unreachableSeconds: 5 };

/** What a new pod gets from the cluster: patience with nodes in trouble. */
export const podDefaults = (patience: NodePatience = defaultPatience): AdmissionPlugin => ({
  name: 'PodDefaults',
  mutate: (draft, context) => {
    if (draft.kind !== 'Pod' || draft.apiVersion !== 'v1' || context.old !== undefined) return;
    const pod = draft as unknown as PodDraft;
    setTolerations(pod, patience);
  },
});

const setTolerations = ({ spec }: PodDraft, { notReadySeconds, unreachableSeconds }: NodePatience): void => {
  const tolerations = spec.tolerations ?? [];
  const tolerates = (taint: string): boolean => tolerations.some(({ key = '', effect = '', operator = '' }) =>
    (key === taint || (key === '' && operator === 'Exists')) && (effect === '' || effect === 'NoExecute'));
  const missing = ([['node.kubernetes.io/not-ready', notReadySeconds], ['node.kubernetes.io/unreachable', unreachableSeconds]] as const).filter(([taint]) => !tolerates(taint));
  if (missing.length > 0) spec.tolerations = [...tolerations, ...missing.map(([key, tolerationSeconds]) => ({ key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds }))];
};
