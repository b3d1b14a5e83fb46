import { fromHorizontalPodAutoscaler, toHorizontalPodAutoscaler } from '../../conversion/horizontal-pod-autoscaler.ts';
import { defineKind, storedAs, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, int64, object, string, time, type Static } from '../../schema.ts';
import { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';

export const CrossVersionObjectReference = object('autoscaling.v1.CrossVersionObjectReference', 'Names an object in the same namespace.', {
  apiVersion: string('API version of the object.'),
  kind: string('Kind of the object.'),
  name: string('Name of the object.'),
}, ['kind', 'name'], { 'x-kubernetes-map-type': 'atomic' });

export const HorizontalPodAutoscalerSpecV1 = object('autoscaling.v1.HorizontalPodAutoscalerSpec', 'What is scaled, and by what.', {
  maxReplicas: int32('Most pods that there may be.'),
  minReplicas: int32('Fewest pods that there may be.', { default: 1 }),
  scaleTargetRef: as(CrossVersionObjectReference, 'The object whose number of replicas is set.'),
  targetCPUUtilizationPercentage: int32('Percentage of the CPU that the pods ask for that they are to use, on average.'),
}, ['maxReplicas', 'scaleTargetRef']);
export type HorizontalPodAutoscalerSpecV1 = Static<typeof HorizontalPodAutoscalerSpecV1>;

export const HorizontalPodAutoscalerStatusV1 = object('autoscaling.v1.HorizontalPodAutoscalerStatus', 'What an autoscaler has done.', {
  currentCPUUtilizationPercentage: int32('Percentage of the CPU that the pods ask for that they use, on average.'),
  currentReplicas: int32('Pods that there were when the autoscaler last looked.'),
  desiredReplicas: int32('Pods that the autoscaler last wanted.'),
  lastScaleTime: time('When the autoscaler last changed the number of pods.'),
  observedGeneration: int64('Generation of the autoscaler that the controller has seen.'),
}, ['currentReplicas', 'desiredReplicas']);
export type HorizontalPodAutoscalerStatusV1 = Static<typeof HorizontalPodAutoscalerStatusV1>;

const schema = topLevel('autoscaling.v1.HorizontalPodAutoscaler', 'Sets the number of replicas of another object by the CPU that its pods use.', {
  spec: as(HorizontalPodAutoscalerSpecV1, 'What is scaled, and by what.', { 'x-barge-default-object': true }),
  status: as(HorizontalPodAutoscalerStatusV1, 'What it has done.'),
}, ['spec']);

/** The older form of HorizontalPodAutoscaler, which knows the CPU only and keeps the rest in annotations. */
export const HorizontalPodAutoscalerV1 = defineKind(schema, {
  group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', scope: 'Namespaced',
  generationCounts: [],
  shortNames: ['hpa'],
  categories: ['all'],
  columns: HorizontalPodAutoscaler.columns.map((one) => ({
    ...one, cell: (hpa, nowMs) => one.cell({ ...toHorizontalPodAutoscaler(hpa), kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2' }, nowMs),
  })),
  subresources: { status: true },
  storedAs: storedAs(HorizontalPodAutoscaler, { toStored: toHorizontalPodAutoscaler, fromStored: fromHorizontalPodAutoscaler }),
});
export type HorizontalPodAutoscalerV1 = BodyOf<typeof HorizontalPodAutoscalerV1>;
