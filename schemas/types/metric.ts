import { as, int32, object, oneOf, quantity, string, type Static } from '../schema.ts';
import { LabelSelector } from './label-selector.ts';

export const CrossVersionObjectReference = object('autoscaling.v2.CrossVersionObjectReference', 'Names an object in the same namespace.', {
  apiVersion: string('API version of the object.'),
  kind: string('Kind of the object.'),
  name: string('Name of the object.'),
}, ['kind', 'name']);
export type CrossVersionObjectReference = Static<typeof CrossVersionObjectReference>;

export const MetricIdentifier = object('autoscaling.v2.MetricIdentifier', 'Names a metric.', {
  name: string('Name of the metric.'),
  selector: as(LabelSelector, 'Labels of the series that count.'),
}, ['name']);
export type MetricIdentifier = Static<typeof MetricIdentifier>;

export const MetricTarget = object('autoscaling.v2.MetricTarget', 'The value that a metric is to have.', {
  averageUtilization: int32('Percentage of what the pods ask for, on average over them.'),
  averageValue: quantity('Value on average over the pods.'),
  type: string('Which of the values counts: Utilization, Value or AverageValue.'),
  value: quantity('Value of the metric as a whole.'),
}, ['type']);
export type MetricTarget = Static<typeof MetricTarget>;

export const ContainerResourceMetricSource = object('autoscaling.v2.ContainerResourceMetricSource', 'What one container of each pod uses of a resource.', {
  container: string('Name of the container.'),
  name: string('Name of the resource.'),
  target: as(MetricTarget, 'The value that is wanted.'),
}, ['container', 'name', 'target']);
export type ContainerResourceMetricSource = Static<typeof ContainerResourceMetricSource>;

export const ExternalMetricSource = object('autoscaling.v2.ExternalMetricSource', 'A metric from outside the cluster.', {
  metric: as(MetricIdentifier, 'The metric.'),
  target: as(MetricTarget, 'The value that is wanted.'),
}, ['metric', 'target']);
export type ExternalMetricSource = Static<typeof ExternalMetricSource>;

export const ObjectMetricSource = object('autoscaling.v2.ObjectMetricSource', 'A metric of one object.', {
  describedObject: as(CrossVersionObjectReference, 'The object.'),
  metric: as(MetricIdentifier, 'The metric.'),
  target: as(MetricTarget, 'The value that is wanted.'),
}, ['describedObject', 'metric', 'target']);
export type ObjectMetricSource = Static<typeof ObjectMetricSource>;

export const PodsMetricSource = object('autoscaling.v2.PodsMetricSource', 'A metric of each pod, averaged.', {
  metric: as(MetricIdentifier, 'The metric.'),
  target: as(MetricTarget, 'The value that is wanted.'),
}, ['metric', 'target']);
export type PodsMetricSource = Static<typeof PodsMetricSource>;

export const ResourceMetricSource = object('autoscaling.v2.ResourceMetricSource', 'What the pods use of a resource.', {
  name: string('Name of the resource.'),
  target: as(MetricTarget, 'The value that is wanted.'),
}, ['name', 'target']);
export type ResourceMetricSource = Static<typeof ResourceMetricSource>;

export const MetricSpec = object('autoscaling.v2.MetricSpec', 'A metric that decides how many pods are wanted; exactly the member that type names.', {
  containerResource: as(ContainerResourceMetricSource, 'For type ContainerResource.'),
  external: as(ExternalMetricSource, 'For type External.'),
  object: as(ObjectMetricSource, 'For type Object.'),
  pods: as(PodsMetricSource, 'For type Pods.'),
  resource: as(ResourceMetricSource, 'For type Resource.'),
  type: oneOf(['ContainerResource', 'External', 'Object', 'Pods', 'Resource'], 'Sort of metric.'),
}, ['type']);
export type MetricSpec = Static<typeof MetricSpec>;

export const MetricValueStatus = object('autoscaling.v2.MetricValueStatus', 'The value that a metric has.', {
  averageUtilization: int32('Percentage of what the pods ask for, on average over them.'),
  averageValue: quantity('Value on average over the pods.'),
  value: quantity('Value of the metric as a whole.'),
});
export type MetricValueStatus = Static<typeof MetricValueStatus>;

export const ContainerResourceMetricStatus = object('autoscaling.v2.ContainerResourceMetricStatus', 'What one container of each pod uses of a resource.', {
  container: string('Name of the container.'),
  current: as(MetricValueStatus, 'The value that it has.'),
  name: string('Name of the resource.'),
}, ['container', 'current', 'name']);
export type ContainerResourceMetricStatus = Static<typeof ContainerResourceMetricStatus>;

export const ExternalMetricStatus = object('autoscaling.v2.ExternalMetricStatus', 'A metric from outside the cluster.', {
  current: as(MetricValueStatus, 'The value that it has.'),
  metric: as(MetricIdentifier, 'The metric.'),
}, ['current', 'metric']);
export type ExternalMetricStatus = Static<typeof ExternalMetricStatus>;

export const ObjectMetricStatus = object('autoscaling.v2.ObjectMetricStatus', 'A metric of one object.', {
  current: as(MetricValueStatus, 'The value that it has.'),
  describedObject: as(CrossVersionObjectReference, 'The object.'),
  metric: as(MetricIdentifier, 'The metric.'),
}, ['current', 'describedObject', 'metric']);
export type ObjectMetricStatus = Static<typeof ObjectMetricStatus>;

export const PodsMetricStatus = object('autoscaling.v2.PodsMetricStatus', 'A metric of each pod, averaged.', {
  current: as(MetricValueStatus, 'The value that it has.'),
  metric: as(MetricIdentifier, 'The metric.'),
}, ['current', 'metric']);
export type PodsMetricStatus = Static<typeof PodsMetricStatus>;

export const ResourceMetricStatus = object('autoscaling.v2.ResourceMetricStatus', 'What the pods use of a resource.', {
  current: as(MetricValueStatus, 'The value that it has.'),
  name: string('Name of the resource.'),
}, ['current', 'name']);
export type ResourceMetricStatus = Static<typeof ResourceMetricStatus>;

export const MetricStatus = object('autoscaling.v2.MetricStatus', 'What a metric was when it was last read; exactly the member that type names.', {
  containerResource: as(ContainerResourceMetricStatus, 'For type ContainerResource.'),
  external: as(ExternalMetricStatus, 'For type External.'),
  object: as(ObjectMetricStatus, 'For type Object.'),
  pods: as(PodsMetricStatus, 'For type Pods.'),
  resource: as(ResourceMetricStatus, 'For type Resource.'),
  type: oneOf(['ContainerResource', 'External', 'Object', 'Pods', 'Resource'], 'Sort of metric.'),
}, ['type']);
export type MetricStatus = Static<typeof MetricStatus>;
