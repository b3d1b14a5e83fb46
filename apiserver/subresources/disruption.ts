/** What disruption budgets say to the eviction of a pod, purely. */
import { rfc3339 } from '../../base/clock.ts';
import { withCondition } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';

/** Evictions of one budget that have been granted and not seen yet; more are refused until the controller has caught up. */
const maxDisruptedPods = 2_000;

const isReady = ({ status }: Pod): boolean => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

/** True for pods that disturb nobody by going: they have not begun, have ended, or go already. */
const goesUnnoticed = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || status?.phase === 'Pending' || status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** The budgets that protect a pod. */
const guarding = ({ metadata }: Pod, budgets: readonly PodDisruptionBudget[]): readonly PodDisruptionBudget[] =>
  budgets.filter(({ spec }) => spec?.selector !== undefined && labelMatcher(spec.selector).matches(metadata.labels));

const tooManyRequests = (why: string, retryAfterSeconds?: number): ApiError =>
  new ApiError('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: why }], ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });

const forbidden = (name: string, why: string): ApiError =>
  new ApiError('Forbidden', `poddisruptionbudgets.policy ${JSON.stringify(name)} is forbidden: ${why}`, { name, group: 'policy', kind: 'poddisruptionbudgets' });

/** True where an unhealthy pod may go without being counted: it helps nobody. */
const mayGoUnhealthy = ({ spec, status }: PodDisruptionBudget): boolean => {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
};

/** The budget after it has granted one eviction. Throws what keeps it from that. */
const spent = (budget: PodDisruptionBudget, pod: string, nowMs: number): PodDisruptionBudget => {
  const { metadata: { name = '', generation = 0 }, status = {} } = budget;
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {}, desiredHealthy = 0, currentHealthy = 0, conditions = [] } = status;
  if (observedGeneration < generation) throw tooManyRequests(`The disruption budget ${name} is still being processed by the server.`, 10);
  if (disruptionsAllowed < 0) throw forbidden(name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > maxDisruptedPods) throw forbidden(name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (disruptionsAllowed === 0) {
    const failed = conditions.find(({ type, reason }) => type === 'DisruptionAllowed' && reason === 'SyncFailed');
    throw tooManyRequests(failed === undefined
      ? `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
      : `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`);
  }
  const now = rfc3339(nowMs);
  const left = disruptionsAllowed - 1;
  return {
    ...budget,
    status: {
      ...status, disruptionsAllowed: left, disruptedPods: { ...disruptedPods, [pod]: now },
      ...(left > 0 ? {} : { conditions: withCondition(conditions, { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '', observedGeneration: generation, lastTransitionTime: now }, now) }),
    },
  };
};

/**
 * Asks a namespace's budgets whether a pod may be evicted: the budget as it stands after that, with what it was, or
 * undefined where none needs to change. Throws TooManyRequests where a budget would be broken, InternalError where two
 * budgets want the pod, as Kubernetes does.
 */
export const askBudgets = (pod: Pod, budgets: readonly PodDisruptionBudget[], nowMs: number): { readonly before: PodDisruptionBudget; readonly after: PodDisruptionBudget } | undefined => {
  if (goesUnnoticed(pod)) return undefined;
  const [before, another] = guarding(pod, budgets);
  if (another !== undefined) throw new ApiError('InternalError', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  if (before === undefined || (!isReady(pod) && mayGoUnhealthy(before))) return undefined;
  return { before, after: spent(before, pod.metadata.name ?? '', nowMs) };
};

/** The pod with the mark that says that it was evicted, which controllers of jobs and people want to know. */
export const markedEvicted = (pod: Pod, nowMs: number): Pod => {
  const now = rfc3339(nowMs);
  const conditions = withCondition(pod.status?.conditions, { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting', lastTransitionTime: now }, now);
  return conditions === pod.status?.conditions ? pod : { ...pod, status: { ...pod.status, conditions: [...conditions] } };
};
