import type { Draft } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { AdmissionPlugin } from './admission.ts';

type PodDraft = Draft<Pod>;

/** How long a pod stays on a node that is not ready or cannot be reached, where the pod does not say. */
const tolerationSeconds = 300;

const nodeTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** What a new pod gets from the cluster: patience with nodes in trouble. */
export const podDefaults = (): AdmissionPlugin => ({
  name: 'PodDefaults',
  mutate: (draft, context) => {
    if (draft.kind !== 'Pod' || draft.apiVersion !== 'v1' || context.old !== undefined) return;
    const pod = draft as unknown as PodDraft;
    setTolerations(pod);
  },
});

const setTolerations = ({ spec }: PodDraft): void => {
  const tolerations = spec.tolerations ?? [];
  const tolerates = (taint: string): boolean => tolerations.some(({ key = '', effect = '', operator = '' }) =>
    (key === taint || (key === '' && operator === 'Exists')) && (effect === '' || effect === 'NoExecute'));
  const missing = nodeTaints.filter((taint) => !tolerates(taint));
  if (missing.length > 0) spec.tolerations = [...tolerations, ...missing.map((key) => ({ key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds }))];
};
