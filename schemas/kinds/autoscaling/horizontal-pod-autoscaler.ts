import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { metricsText } from '../../columns/metric-cells.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { prepareHorizontalPodAutoscalerSpec } from '../../prepare/horizontal-pod-autoscaler.ts';
import { as, int32, int64, list, object, oneOf, quantity, string, time, type Static } from '../../schema.ts';
import { CrossVersionObjectReference, MetricSpec, MetricStatus } from '../../types/metric.ts';
import { validateHorizontalPodAutoscalerSpec } from '../../validation/horizontal-pod-autoscaler.ts';

export const HPAScalingPolicy = object('autoscaling.v2.HPAScalingPolicy', 'How far one step may go.', {
  periodSeconds: int32('Length of time that the step counts for, 1 to 1800 seconds.'),
  type: string('Whether the value is a number of pods or a percentage: Pods or Percent.'),
  value: int32('How many pods, or how many percent of them, may come or go in the period.'),
}, ['periodSeconds', 'type', 'value']);
export type HPAScalingPolicy = Static<typeof HPAScalingPolicy>;

export const HPAScalingRules = object('autoscaling.v2.HPAScalingRules', 'How fast the number of pods may change in one direction.', {
  policies: list(HPAScalingPolicy, 'How far steps may go; at least one.', { listType: 'atomic' }),
  selectPolicy: oneOf(['Disabled', 'Max', 'Min'], 'Which of the policies counts: the one that allows most, the one that allows least, or no change at all.'),
  stabilizationWindowSeconds: int32('Over how long a time the most careful wish counts, 0 to 3600 seconds.'),
  tolerance: quantity('By how much a metric may differ from its target without anything being done, such as 0.05.'),
});
export type HPAScalingRules = Static<typeof HPAScalingRules>;

export const HorizontalPodAutoscalerBehavior = object('autoscaling.v2.HorizontalPodAutoscalerBehavior', 'How fast the number of pods may change.', {
  scaleDown: as(HPAScalingRules, 'How fast pods may go; all that are too many after five minutes where absent.'),
  scaleUp: as(HPAScalingRules, 'How fast pods may come; four of them or twice as many in 15 seconds where absent.'),
});
export type HorizontalPodAutoscalerBehavior = Static<typeof HorizontalPodAutoscalerBehavior>;

export const HorizontalPodAutoscalerSpec = object('autoscaling.v2.HorizontalPodAutoscalerSpec', 'What is scaled, and by what.', {
  behavior: as(HorizontalPodAutoscalerBehavior, 'How fast the number of pods may change.'),
  maxReplicas: int32('Most pods that there may be.'),
  metrics: list(MetricSpec, 'Metrics, of which the one that wants most pods counts; 80% of the CPU that is asked for where absent.', { listType: 'atomic' }),
  minReplicas: int32('Fewest pods that there may be.', { default: 1 }),
  scaleTargetRef: as(CrossVersionObjectReference, 'The object whose number of replicas is set.'),
}, ['maxReplicas', 'scaleTargetRef']);
export type HorizontalPodAutoscalerSpec = Static<typeof HorizontalPodAutoscalerSpec>;

export const HorizontalPodAutoscalerCondition = object('autoscaling.v2.HorizontalPodAutoscalerCondition', 'One aspect of the state of an autoscaler.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect: AbleToScale, ScalingActive or ScalingLimited.'),
}, ['status', 'type']);
export type HorizontalPodAutoscalerCondition = Static<typeof HorizontalPodAutoscalerCondition>;

export const HorizontalPodAutoscalerStatus = object('autoscaling.v2.HorizontalPodAutoscalerStatus', 'What an autoscaler has done.', {
  conditions: list(HorizontalPodAutoscalerCondition, "Aspects of the autoscaler's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  currentMetrics: list(MetricStatus, 'The metrics when they were last read.', { listType: 'atomic' }),
  currentReplicas: int32('Pods that there were when the autoscaler last looked.', { minimum: 0 }),
  desiredReplicas: int32('Pods that the autoscaler last wanted.', { minimum: 0 }),
  lastScaleTime: time('When the autoscaler last changed the number of pods.'),
  observedGeneration: int64('Generation of the autoscaler that the controller has seen.', { minimum: 0 }),
}, ['desiredReplicas']);
export type HorizontalPodAutoscalerStatus = Static<typeof HorizontalPodAutoscalerStatus>;

const schema = topLevel('autoscaling.v2.HorizontalPodAutoscaler', 'Sets the number of replicas of another object by what its pods have to do.', {
  spec: as(HorizontalPodAutoscalerSpec, 'What is scaled, and by what.', { 'x-barge-default-object': true }),
  status: as(HorizontalPodAutoscalerStatus, 'What it has done.'),
}, ['spec']);

export const HorizontalPodAutoscaler = defineKind(schema, {
  group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', scope: 'Namespaced',
  generationCounts: [],
  shortNames: ['hpa'],
  categories: ['all'],
  columns: [
    nameColumn,
    column('Reference', 'The object that is scaled.', ({ spec: { scaleTargetRef: { kind, name } } }) => `${kind}/${name}`),
    column('Targets', 'Each metric as it is, and as it is wanted.', ({ spec, status }) => metricsText(spec.metrics, status?.currentMetrics)),
    column('MinPods', 'Fewest pods.', ({ spec }) => (spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas))),
    column('MaxPods', 'Most pods.', ({ spec }) => spec.maxReplicas),
    column('Replicas', 'Pods that there were at the last look.', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
  subresources: { status: true },
  initialStatus: () => ({ desiredReplicas: 0, currentReplicas: 0 }),
  prepare: ({ spec }) => prepareHorizontalPodAutoscalerSpec(spec),
  validate: ({ spec }) => validateHorizontalPodAutoscalerSpec(spec),
});
export type HorizontalPodAutoscaler = BodyOf<typeof HorizontalPodAutoscaler>;
