import { ApiError } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

type PodDraft = Draft<Pod>;

/** How long a pod stays on a node that is not ready or cannot be reached, where the pod does not say. */
const tolerationSeconds = 300;

const nodeTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** The classes that every cluster has; their pods are never put behind others. */
const systemPriorities: Readonly<Record<string, number>> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };

/** What a new pod gets from the cluster: its priority, and patience with nodes in trouble. */
export const podDefaults = (): AdmissionPlugin => ({
  name: 'PodDefaults',
  mutate: (draft, context) => {
    if (draft.kind !== 'Pod' || draft.apiVersion !== 'v1' || context.old !== undefined) return;
    const pod = draft as unknown as PodDraft;
    setPriority(pod, context);
    setTolerations(pod);
  },
});

const setPriority = ({ spec }: PodDraft, { name }: AdmissionContext): void => {
  const className = spec.priorityClassName ?? '';
  const refused = (why: string): ApiError => new ApiError('Forbidden', `pods "${name}" is forbidden: ${why}`, { name, kind: 'pods' });
  const priority = className === '' ? 0 : Object.hasOwn(systemPriorities, className) ? systemPriorities[className] : undefined;
  if (priority === undefined) throw refused(`no PriorityClass with name ${className} was found`);
  if (spec.priority !== undefined && spec.priority !== priority) {
    throw refused(`the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`);
  }
  spec.priority = priority;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
};

const setTolerations = ({ spec }: PodDraft): void => {
  const tolerations = spec.tolerations ?? [];
  const tolerates = (taint: string): boolean => tolerations.some(({ key = '', effect = '', operator = '' }) =>
    (key === taint || (key === '' && operator === 'Exists')) && (effect === '' || effect === 'NoExecute'));
  const missing = nodeTaints.filter((taint) => !tolerates(taint));
  if (missing.length > 0) spec.tolerations = [...tolerations, ...missing.map((key) => ({ key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds }))];
};
