import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf, keyText } from '../../client/key.ts';
import { ApiError, isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { HorizontalPodAutoscaler, type HorizontalPodAutoscalerSpec, type HorizontalPodAutoscalerStatus } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodMetrics } from '../../schemas/kinds/metrics/pod-metrics.ts';
import { parseLabelSelector, type LabelMatcher } from '../../schemas/label-selector.ts';
import type { Registry } from '../../schemas/registry.ts';
import { unlessGone } from '../ensure.ts';
import { byBounds, planAutoscaler, withFailedRescale, withoutScale, withRescale, type AutoscalerState } from './plan.ts';
import { firstHistory, withChange, type History } from './speed.ts';
import { resize, targetOf, type Target } from './target.ts';
import { defaultTimes, type AutoscalerTimes } from './times.ts';

/** What is remembered of an autoscaler between two looks. */
interface Memory {
  readonly uid: string | undefined;
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly nextMs: number;
  readonly history: History | undefined;
  readonly selector: LabelMatcher | undefined;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Gives targets as many replicas as their pods have work for. It looks every 15 s and when an autoscaler changes; its own
 * status and the target's pods wake nobody, so that a restless target costs no more than a calm one.
 */
export const horizontalPodAutoscalerController = (registry: Registry, times: AutoscalerTimes = defaultTimes): Controller<HorizontalPodAutoscaler> => {
  const memories = new Map<string, Memory>();
  return {
    name: 'horizontal-pod-autoscaler',
    reconciles: HorizontalPodAutoscaler,
    reads: [Pod],
    reconcile: async (autoscaler, key, context) => {
      const id = keyText(key);
      if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) {
        memories.delete(id);
        return undefined;
      }
      const nowMs = context.clock.now();
      const { uid } = autoscaler.metadata;
      const known = memories.get(id);
      const memory = known?.uid === uid ? known : undefined;
      if (memory !== undefined && nowMs < memory.nextMs && deepEqual(memory.spec, autoscaler.spec)) return { afterMs: memory.nextMs - nowMs };
      const remember = (what: Partial<Memory>): void =>
        void memories.set(id, { history: memory?.history, selector: memory?.selector, nextMs: nowMs + times.syncMs, ...what, uid, spec: autoscaler.spec });
      const target = await targetOf(autoscaler, registry, context);
      if (typeof target === 'string') {
        context.events.event(autoscaler, 'Warning', 'FailedGetScale', target);
        await writeStatus(autoscaler, withoutScale(autoscaler, target, nowMs), context);
        remember({});
        return { afterMs: times.syncMs };
      }
      const currentReplicas = target.scale.spec.replicas ?? 0;
      const selector = selectorOf(target);
      const matcher = 'matcher' in selector ? selector.matcher : undefined;
      const history = memory?.history ?? firstHistory(currentReplicas, nowMs);
      // A look that breaks off is made again at once.
      remember({ selector: matcher, history, nextMs: nowMs });
      const measured = byBounds(autoscaler.spec, currentReplicas) !== undefined ? { reason: '', message: '' }
        : matcher === undefined ? selector as Refused : ambiguous(memories, id, matcher, context) ?? await measure(autoscaler, matcher, context);
      const plan = planAutoscaler({ autoscaler, currentReplicas, measured, history, nowMs, times });
      for (const { type, reason, message } of plan.events) context.events.event(autoscaler, type, reason, message);
      const outcome = plan.rescale === undefined ? { status: plan.status, history: plan.history }
        : await rescaled(autoscaler, target, { ...plan, rescale: plan.rescale, currentReplicas, nowMs }, context);
      remember({ selector: matcher, history: outcome.history });
      await writeStatus(autoscaler, outcome.status, context);
      return { afterMs: times.syncMs };
    },
  };
};

type Refused = Extract<AutoscalerState['measured'], { readonly reason: string }>;

/** The pods of a target by the selector in its scale, or what is wrong with that. */
const selectorOf = ({ scale }: Target): { readonly matcher: LabelMatcher } | Refused => {
  const text = scale.status?.selector ?? '';
  if (text === '') return { reason: 'InvalidSelector', message: "the HPA target's scale is missing a selector" };
  try {
    return { matcher: parseLabelSelector(text) };
  } catch (error) {
    return { reason: 'InvalidSelector', message: `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}` };
  }
};

/** Two autoscalers that go by the same pods would pull at each other's targets. */
const ambiguous = (memories: ReadonlyMap<string, Memory>, id: string, matcher: LabelMatcher, context: ReconcileContext): Refused | undefined => {
  const namespace = id.slice(0, id.indexOf('/'));
  const others = [...memories].filter(([other, { selector }]) => other !== id && selector !== undefined && other.startsWith(`${namespace}/`));
  if (others.length === 0) return undefined;
  const pods = context.informer(Pod).list(namespace).filter(({ metadata }) => matcher.matches(metadata.labels));
  const rivals = others.filter(([, { selector }]) => pods.some(({ metadata }) => selector!.matches(metadata.labels))).map(([other]) => other);
  return rivals.length === 0 ? undefined
    : { reason: 'AmbiguousSelector', message: `pods by selector ${String(matcher)} are controlled by multiple HPAs: [${[id, ...rivals].sort().join(' ')}]` };
};

const measure = async ({ metadata: { namespace }, spec }: HorizontalPodAutoscaler, matcher: LabelMatcher, context: ReconcileContext): Promise<AutoscalerState['measured']> => {
  const pods = context.informer(Pod).list(namespace).filter(({ metadata }) => matcher.matches(metadata.labels));
  const asks = (spec.metrics ?? []).some(({ resource, containerResource }) => resource !== undefined || containerResource !== undefined);
  if (!asks) return { pods, usage: [] };
  try {
    const { items } = await context.client.of(PodMetrics).list({ namespace, labelSelector: String(matcher) });
    return { pods, usage: items.length === 0 ? { failed: 'no metrics returned from resource metrics API' } : items };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return { pods, usage: { failed: `unable to fetch metrics from resource metrics API: ${messageOf(error)}` } };
  }
};

interface Rescale {
  readonly status: HorizontalPodAutoscalerStatus;
  readonly history: History;
  readonly rescale: { readonly replicas: number; readonly reason: string };
  readonly currentReplicas: number;
  readonly nowMs: number;
}

/** Gives the target its size. A target that changed in between is looked at again at once; other refusals are told. */
const rescaled = async (autoscaler: HorizontalPodAutoscaler, target: Target, { status, history, rescale, currentReplicas, nowMs }: Rescale, context: ReconcileContext): Promise<Pick<Rescale, 'status' | 'history'>> => {
  const { replicas, reason } = rescale;
  try {
    await resize(target, replicas, context);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const message = messageOf(error);
    if (isReason(error, 'Conflict')) throw new ApiError('Conflict', message);
    context.events.event(autoscaler, 'Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${message}`);
    return { status: withFailedRescale(autoscaler, status, message, nowMs), history };
  }
  context.events.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`);
  return { status: withRescale(status, replicas, nowMs), history: withChange(history, currentReplicas, replicas, nowMs) };
};

const writeStatus = async (autoscaler: HorizontalPodAutoscaler, status: HorizontalPodAutoscalerStatus, context: ReconcileContext): Promise<void> => {
  if (deepEqual(status, autoscaler.status)) return;
  await unlessGone(context.client.of(HorizontalPodAutoscaler).modifyStatus(keyOf(autoscaler), (draft) => {
    if (draft.metadata.uid === autoscaler.metadata.uid) draft.status = draftOf(status);
  }, { hint: autoscaler }));
};
