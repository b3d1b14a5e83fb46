/** What an autoscaler does next and says of itself, as Kubernetes' does, from what its target is and what its pods use. */
import { rfc3339 } from '../../base/clock.ts';
import { withCondition } from '../../schemas/conditions.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { MetricStatus } from '../../schemas/types/metric.ts';
import { propose, toleranceOf, type NoProposal, type Proposal, type ProposalState } from './proposal.ts';
import { atSpeed, type History } from './speed.ts';

type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';
type Conditions = HorizontalPodAutoscalerStatus['conditions'];

export interface AutoscalerEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface AutoscalerPlan {
  /** As it stands before the target is given its size; `withRescale` and `withFailedRescale` say how that went. */
  readonly status: HorizontalPodAutoscalerStatus;
  readonly events: readonly AutoscalerEvent[];
  readonly rescale: { readonly replicas: number; readonly reason: string } | undefined;
  readonly history: History;
}

export interface AutoscalerState extends Omit<ProposalState, 'tolerance' | 'pods' | 'usage'> {
  readonly autoscaler: HorizontalPodAutoscaler;
  /** The target's pods and what they use, or why they cannot be told; only looked at where metrics decide. */
  readonly measured: Pick<ProposalState, 'pods' | 'usage'> | { readonly reason: string; readonly message: string };
  readonly history: History;
}

/** What the bounds alone decide: a size and why, `disabled` for a target of no pods, or undefined where metrics decide. */
export const byBounds = ({ minReplicas = 1, maxReplicas }: HorizontalPodAutoscalerSpec, currentReplicas: number): AutoscalerPlan['rescale'] | 'disabled' => {
  if (currentReplicas === 0 && minReplicas !== 0) return 'disabled';
  if (currentReplicas > maxReplicas) return { replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' };
  return currentReplicas < minReplicas ? { replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas' } : undefined;
};

/** Conditions being said one after the other. */
class Saying {
  readonly #now: string;
  conditions: Conditions;

  constructor(conditions: Conditions, nowMs: number) {
    this.conditions = conditions;
    this.#now = rfc3339(nowMs);
  }

  say(type: ConditionType, status: 'True' | 'False', { reason, message }: { readonly reason: string; readonly message: string }): this {
    this.conditions = withCondition(this.conditions, { type, status, reason, message }, this.#now);
    return this;
  }
}

/** The status of an autoscaler whose target has no scale to be read. */
export const withoutScale = (autoscaler: HorizontalPodAutoscaler, error: string, nowMs: number): HorizontalPodAutoscalerStatus => ({
  ...autoscaler.status, desiredReplicas: autoscaler.status?.desiredReplicas ?? 0,
  conditions: new Saying(autoscaler.status?.conditions, nowMs).say('AbleToScale', 'False', { reason: 'FailedGetScale', message: `the HPA controller was unable to get the target's current scale: ${error}` }).conditions,
});

/** What comes next for an autoscaler whose target's size is known. */
export const planAutoscaler = (state: AutoscalerState): AutoscalerPlan => {
  const { autoscaler: { spec, status: old }, currentReplicas, history, nowMs } = state;
  const saying = new Saying(old?.conditions, nowMs)
    .say('AbleToScale', 'True', { reason: 'SucceededGetScale', message: "the HPA controller was able to get the target's current scale" });
  const plan = (desiredReplicas: number, currentMetrics: readonly MetricStatus[] | undefined, more: Partial<AutoscalerPlan> = {}): AutoscalerPlan => ({
    events: [], rescale: undefined, history, ...more, status: statusOf(state.autoscaler, { currentReplicas, desiredReplicas, currentMetrics, conditions: saying.conditions }),
  });
  const bounds = byBounds(spec, currentReplicas);
  if (bounds === 'disabled') {
    saying.say('ScalingActive', 'False', { reason: 'ScalingDisabled', message: 'scaling is disabled since the replica count of the target is zero' });
    return plan(currentReplicas, undefined);
  }
  if (bounds !== undefined) return plan(bounds.replicas, undefined, { rescale: bounds });
  const wish = wishOf(state, saying);
  const events = wish.events;
  if ('failed' in wish) {
    const event: AutoscalerEvent = { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: wish.failed };
    return plan(old?.desiredReplicas ?? 0, old?.currentMetrics, { events: [...events, event] });
  }
  const speed = atSpeed({ ...state, spec, wishedReplicas: wish.replicas });
  saying.say('AbleToScale', 'True', speed.able).say('ScalingLimited', speed.limited.is ? 'True' : 'False', speed.limited);
  if (speed.replicas === currentReplicas) return plan(currentReplicas, wish.statuses, { events, history: speed.history });
  const reason = wish.replicas > currentReplicas ? `${wish.name} above target` : wish.replicas < currentReplicas ? 'All metrics below target' : '';
  return plan(speed.replicas, wish.statuses, { events, history: speed.history, rescale: { replicas: speed.replicas, reason } });
};

type Wish = { readonly events: readonly AutoscalerEvent[] } & ({ readonly failed: string } | { readonly replicas: number; readonly name: string; readonly statuses: readonly MetricStatus[] });

/** The metric that wants most decides. Of several a part may be unknown when pods should come, but none when pods should go. */
const wishOf = (state: AutoscalerState, saying: Saying): Wish => {
  const { autoscaler: { spec, status: old }, measured, currentReplicas } = state;
  if (!('pods' in measured)) {
    saying.say('ScalingActive', 'False', measured);
    return { failed: measured.message, events: [{ type: 'Warning', ...measured }] };
  }
  const { behavior, metrics = [] } = spec;
  const tolerance = { up: toleranceOf(behavior?.scaleUp?.tolerance), down: toleranceOf(behavior?.scaleDown?.tolerance) };
  const said = metrics.map((metric) => propose(metric, { ...state, ...measured, tolerance }));
  const unknown = said.filter((one): one is NoProposal => 'error' in one);
  const proposals = said.filter((one): one is Proposal => 'replicas' in one);
  const events = unknown.map(({ reason, message }): AutoscalerEvent => ({ type: 'Warning', reason, message }));
  const highest = proposals.reduce<Proposal | undefined>((best, one) => (best === undefined || one.replicas > best.replicas ? one : best), undefined);
  const first = unknown[0];
  if (highest === undefined || (first !== undefined && highest.replicas < currentReplicas)) {
    if (first !== undefined) saying.say('ScalingActive', 'False', { reason: first.reason, message: `the HPA was unable to compute the replica count: ${first.message}` });
    return { failed: `invalid metrics (${unknown.length} invalid out of ${metrics.length}), first error is: ${first?.error ?? ''}`, events };
  }
  saying.say('ScalingActive', 'True', { reason: 'ValidMetricFound', message: `the HPA was able to successfully calculate a replica count from ${highest.name}` });
  // A status has one entry for each metric, in their order: one that says nothing keeps what it last said.
  const statuses = said.flatMap((one, index) => ('status' in one ? [one.status] : old?.currentMetrics?.[index] ?? []));
  return { replicas: highest.replicas, name: highest.name, statuses, events };
};

const statusOf = ({ metadata: { generation }, status: old }: HorizontalPodAutoscaler, next: Omit<HorizontalPodAutoscalerStatus, 'lastScaleTime' | 'observedGeneration'>): HorizontalPodAutoscalerStatus => {
  const { currentMetrics, ...rest } = next;
  return {
    ...rest, ...(currentMetrics === undefined || currentMetrics.length === 0 ? {} : { currentMetrics }),
    ...(old?.lastScaleTime === undefined ? {} : { lastScaleTime: old.lastScaleTime }), ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
};

/** The status after the target took its new size. */
export const withRescale = (status: HorizontalPodAutoscalerStatus, replicas: number, nowMs: number): HorizontalPodAutoscalerStatus => ({
  ...status, lastScaleTime: rfc3339(nowMs),
  conditions: new Saying(status.conditions, nowMs).say('AbleToScale', 'True', { reason: 'SucceededRescale', message: `the HPA controller was able to update the target scale to ${replicas}` }).conditions,
});

/** The status after the target could not be given its new size. */
export const withFailedRescale = (autoscaler: HorizontalPodAutoscaler, status: HorizontalPodAutoscalerStatus, error: string, nowMs: number): HorizontalPodAutoscalerStatus => ({
  ...status, desiredReplicas: autoscaler.status?.desiredReplicas ?? 0,
  conditions: new Saying(status.conditions, nowMs).say('AbleToScale', 'False', { reason: 'FailedUpdateScale', message: `the HPA controller was unable to update the target scale: ${error}` }).conditions,
});
