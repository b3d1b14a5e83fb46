/** How a disruption budget stands, purely. */
import { rfc3339 } from '../../base/clock.ts';
import { withCondition } from '../../schemas/conditions.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { isReady, isTerminating } from '../pod-state.ts';

/** A pod whose eviction was granted this long ago and that is still not going will not go. */
const disruptionMs = 120_000;

/** A share of the pods, rounded up: fewer may never be promised than were asked for. */
const share = (amount: number | string, count: number): number => (typeof amount === 'number' ? amount : Math.ceil((Number.parseInt(amount, 10) * count) / 100));

/** True for budgets that are about how many pods there should be, which only the pods' controllers know. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean => spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';

/** How many pods are expected and how many of them must be healthy. `scale` is the sum over the controllers of the pods. */
const expectations = ({ spec }: PodDisruptionBudget, pods: number, scale: number): { readonly expectedPods: number; readonly desiredHealthy: number } => {
  if (spec?.maxUnavailable !== undefined) return { expectedPods: scale, desiredHealthy: Math.max(0, scale - share(spec.maxUnavailable, scale)) };
  if (spec?.minAvailable === undefined) return { expectedPods: pods, desiredHealthy: 0 };
  return typeof spec.minAvailable === 'number' ? { expectedPods: pods, desiredHealthy: spec.minAvailable } : { expectedPods: scale, desiredHealthy: share(spec.minAvailable, scale) };
};

export interface Look {
  /** The pods that the budget's selector chooses. */
  readonly pods: readonly Pod[];
  /** How many pods their controllers want, or why that cannot be said. */
  readonly scale: number | { readonly unknown: string };
  readonly nowMs: number;
}

export interface Standing {
  /** Undefined where the status is right already. */
  readonly status: PodDisruptionBudgetStatus | undefined;
  /** Pods whose eviction was granted and that do not go. */
  readonly stayed: readonly Pod[];
  /** When to look again although nothing happens. */
  readonly againInMs: number | undefined;
}

/** Works out how a budget stands. A budget whose pods cannot be counted allows nothing, and says why. */
export const standing = (budget: PodDisruptionBudget, { pods, scale, nowMs }: Look): Standing => {
  const { metadata: { generation = 0 }, status = {} } = budget;
  const now = rfc3339(nowMs);
  const granted = pods.flatMap((pod) => {
    const sinceMs = timeMs(status.disruptedPods?.[pod.metadata.name ?? '']);
    return sinceMs === undefined || isTerminating(pod) ? [] : [{ pod, leftMs: sinceMs + disruptionMs - nowMs }];
  });
  const awaited = granted.filter(({ leftMs }) => leftMs >= 0);
  const stayed = granted.filter(({ leftMs }) => leftMs < 0).map(({ pod }) => pod);
  const againInMs = awaited.length === 0 ? undefined : Math.min(...awaited.map(({ leftMs }) => leftMs)) + 1;
  const condition = (is: 'True' | 'False', reason: string, message = '') =>
    [...withCondition(status.conditions, { type: 'DisruptionAllowed', status: is, reason, message, observedGeneration: generation, lastTransitionTime: now }, now)];

  const settled = (next: PodDisruptionBudgetStatus): Standing => ({ status: deepEqual(next, status) ? undefined : next, stayed, againInMs });
  if (typeof scale === 'object') return settled({ ...status, disruptionsAllowed: 0, observedGeneration: generation, conditions: condition('False', 'SyncFailed', scale.unknown) });

  const names = new Set(awaited.map(({ pod }) => pod.metadata.name));
  const currentHealthy = pods.filter((pod) => !isTerminating(pod) && !names.has(pod.metadata.name) && isReady(pod)).length;
  const { expectedPods, desiredHealthy } = expectations(budget, pods.length, scale);
  // Where no pod is expected, the first ones may just be coming.
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const disruptedPods = Object.fromEntries(awaited.map(({ pod: { metadata: { name = '' } } }) => [name, status.disruptedPods![name]!]));
  return settled({
    conditions: disruptionsAllowed > 0 ? condition('True', 'SufficientPods') : condition('False', 'InsufficientPods'),
    currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods, observedGeneration: generation,
    ...(awaited.length === 0 ? {} : { disruptedPods }),
  });
};
