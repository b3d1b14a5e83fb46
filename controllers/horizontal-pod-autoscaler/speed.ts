/**
 * From the wish of the metrics to the size that is asked for: the most careful of the recent wishes, no more of a change
 * than the policies allow, and never beyond the bounds.
 */
import type { HorizontalPodAutoscalerSpec, HPAScalingPolicy, HPAScalingRules } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { AutoscalerTimes } from './times.ts';

/** A change of so many pods. */
interface Change {
  readonly pods: number;
  readonly atMs: number;
}

/** What an autoscaler wished for and did of late. It lives with the process: after a restart the size of then is the only wish. */
export interface History {
  readonly wishes: readonly { readonly replicas: number; readonly atMs: number }[];
  readonly added: readonly Change[];
  readonly removed: readonly Change[];
}

export const firstHistory = (replicas: number, nowMs: number): History => ({ wishes: [{ replicas, atMs: nowMs }], added: [], removed: [] });

interface Reason {
  readonly reason: string;
  readonly message: string;
}

export interface Speed {
  readonly replicas: number;
  /** For the condition AbleToScale, which is True. */
  readonly able: Reason;
  /** For the condition ScalingLimited. */
  readonly limited: Reason & { readonly is: boolean };
  /** With the wish of now. */
  readonly history: History;
}

export interface SpeedState {
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly currentReplicas: number;
  /** What the metrics want. */
  readonly wishedReplicas: number;
  readonly history: History;
  readonly nowMs: number;
  readonly times: AutoscalerTimes;
}

const upStabilized: Reason = { reason: 'ScaleUpStabilized', message: 'recent recommendations were lower than current one, applying the lowest recent recommendation' };
const downStabilized: Reason = { reason: 'ScaleDownStabilized', message: 'recent recommendations were higher than current one, applying the highest recent recommendation' };
const ready: Reason = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const within: Reason = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
const tooMany: Reason = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' };
const tooFew: Reason = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' };
const tooFast: Reason = { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' };
const tooFastDown: Reason = { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' };

const windowsOf = ({ behavior }: HorizontalPodAutoscalerSpec, { downscaleStabilizationMs }: AutoscalerTimes): { readonly upMs: number; readonly downMs: number } => {
  const seconds = behavior?.scaleDown?.stabilizationWindowSeconds;
  return { upMs: (behavior?.scaleUp?.stabilizationWindowSeconds ?? 0) * 1_000, downMs: seconds === undefined ? downscaleStabilizationMs : seconds * 1_000 };
};

/** The size that is asked for next. */
export const atSpeed = (state: SpeedState): Speed => {
  const { spec, currentReplicas, wishedReplicas, history, nowMs, times } = state;
  const windows = windowsOf(spec, times);
  const stable = spec.behavior === undefined ? highest(state, windows.downMs) : stabilized(state, windows);
  const wishes = [...history.wishes.filter(({ atMs }) => atMs >= nowMs - Math.max(windows.upMs, windows.downMs)), { replicas: wishedReplicas, atMs: nowMs }];
  const { replicas, why } = spec.behavior === undefined ? withinPlainBounds(spec, currentReplicas, stable) : withinPolicies(state, stable);
  const held = spec.behavior === undefined || wishedReplicas < currentReplicas ? downStabilized : upStabilized;
  return { replicas, able: stable === wishedReplicas ? ready : held, limited: { ...why, is: replicas !== stable }, history: { ...history, wishes } };
};

/** Without a behavior only going down is slow. */
const highest = ({ wishedReplicas, history, nowMs }: SpeedState, downMs: number): number =>
  Math.max(wishedReplicas, ...history.wishes.filter(({ atMs }) => atMs >= nowMs - downMs).map(({ replicas }) => replicas));

/** The size of now, moved only as far as every wish of the window of that direction goes. */
const stabilized = ({ currentReplicas, wishedReplicas, history, nowMs }: SpeedState, { upMs, downMs }: { readonly upMs: number; readonly downMs: number }): number => {
  const since = (ms: number): readonly number[] => history.wishes.filter(({ atMs }) => atMs > nowMs - ms).map(({ replicas }) => replicas);
  const least = Math.min(wishedReplicas, ...since(upMs));
  const most = Math.max(wishedReplicas, ...since(downMs));
  return Math.min(Math.max(currentReplicas, least), most);
};

interface Bounded {
  readonly replicas: number;
  readonly why: Reason;
}

/** Without a behavior: at most twice as many at once, or 4. */
const withinPlainBounds = ({ minReplicas = 1, maxReplicas }: HorizontalPodAutoscalerSpec, currentReplicas: number, stable: number): Bounded => {
  const fastest = Math.max(2 * currentReplicas, 4);
  if (stable < minReplicas) return { replicas: minReplicas, why: tooFew };
  if (stable > Math.min(maxReplicas, fastest)) return maxReplicas > fastest ? { replicas: fastest, why: tooFast } : { replicas: maxReplicas, why: tooMany };
  return { replicas: stable, why: within };
};

/** With a behavior: as far as its policies allow. */
const withinPolicies = (state: SpeedState, stable: number): Bounded => {
  const { spec: { minReplicas = 1, maxReplicas, behavior }, currentReplicas } = state;
  if (stable > currentReplicas) {
    const fastest = Math.max(currentReplicas, most(state, behavior?.scaleUp));
    if (stable > Math.min(maxReplicas, fastest)) return maxReplicas > fastest ? { replicas: fastest, why: tooFast } : { replicas: maxReplicas, why: tooMany };
  } else if (stable < currentReplicas) {
    const fastest = Math.min(currentReplicas, least(state, behavior?.scaleDown));
    if (stable < Math.max(minReplicas, fastest)) return minReplicas < fastest ? { replicas: fastest, why: tooFastDown } : { replicas: minReplicas, why: tooFew };
  }
  return { replicas: stable, why: within };
};

/** Pods at the beginning of a period that ends now. */
const atStartOf = ({ periodSeconds }: HPAScalingPolicy, { currentReplicas, history, nowMs }: SpeedState): number => {
  const changed = (changes: readonly Change[]): number => changes.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1_000).reduce((sum, { pods }) => sum + pods, 0);
  return currentReplicas - changed(history.added) + changed(history.removed);
};

/** The size to which pods may be added now. A percentage is rounded up, for one pod must be able to become two. */
const most = (state: SpeedState, { selectPolicy, policies = [] }: HPAScalingRules = {}): number => {
  if (selectPolicy === 'Disabled') return state.currentReplicas;
  const limits = policies.map((policy) => (policy.type === 'Pods' ? atStartOf(policy, state) + policy.value : Math.ceil(atStartOf(policy, state) * (1 + policy.value / 100))));
  return selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
};

/** The size to which pods may be taken away now. */
const least = (state: SpeedState, { selectPolicy, policies = [] }: HPAScalingRules = {}): number => {
  if (selectPolicy === 'Disabled') return state.currentReplicas;
  const limits = policies.map((policy) => (policy.type === 'Pods' ? atStartOf(policy, state) - policy.value : Math.trunc(atStartOf(policy, state) * (1 - policy.value / 100))));
  return selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
};

/** The longest period of a policy that the API allows. */
const longestPeriodMs = 1_800_000;

/** The history with a change of size that was carried out. */
export const withChange = (history: History, from: number, to: number, nowMs: number): History => {
  const recent = (changes: readonly Change[]): readonly Change[] => changes.filter(({ atMs }) => atMs > nowMs - longestPeriodMs);
  return to > from ? { ...history, added: [...recent(history.added), { pods: to - from, atMs: nowMs }] } : { ...history, removed: [...recent(history.removed), { pods: from - to, atMs: nowMs }] };
};
