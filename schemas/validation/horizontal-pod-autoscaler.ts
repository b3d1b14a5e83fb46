import { forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotPathSegment } from '../names.ts';
import { parseQuantity } from '../quantity.ts';
import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec, MetricTarget } from '../types/metric.ts';

/** Kubernetes' limits, in seconds. */
const maxStabilizationSeconds = 3_600;
const maxPeriodSeconds = 1_800;

const validateSegment = (text: string, field: string): readonly FieldError[] => (text === '' ? [required(field)] : refused(field, text, whyNotPathSegment(text)));

const validateReference = ({ kind, name, apiVersion = '' }: CrossVersionObjectReference, field: string): readonly FieldError[] => [
  ...validateSegment(kind, `${field}.kind`),
  ...validateSegment(name, `${field}.name`),
  ...(apiVersion.split('/').length > 2 ? [wrong(`${field}.apiVersion`, apiVersion, 'must be a version or a group and a version (for example v1 or apps/v1)')] : []),
];

const isAboveZero = (amount: string): boolean => (parseQuantity(amount)?.nano ?? 1n) > 0n;

const targetTypes: ReadonlySet<string> = new Set(['Utilization', 'Value', 'AverageValue']);

const validateTarget = ({ type, value, averageValue, averageUtilization }: MetricTarget, field: string): readonly FieldError[] => [
  ...(type === '' ? [required(`${field}.type`, 'must specify a metric target type')]
    : targetTypes.has(type) ? [] : [wrong(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue')]),
  ...(value !== undefined && !isAboveZero(value) ? [wrong(`${field}.value`, value, 'must be positive')] : []),
  ...(averageValue !== undefined && !isAboveZero(averageValue) ? [wrong(`${field}.averageValue`, averageValue, 'must be positive')] : []),
  ...(averageUtilization !== undefined && averageUtilization < 1 ? [wrong(`${field}.averageUtilization`, averageUtilization, 'must be greater than 0')] : []),
];

/** Of a resource either the share of what is asked for or an amount is wanted. */
const validateUsage = (name: string, target: MetricTarget, field: string): readonly FieldError[] => [
  ...(name === '' ? [required(`${field}.name`, 'must specify a resource name')] : []),
  ...validateTarget(target, `${field}.target`),
  ...(target.averageUtilization === undefined && target.averageValue === undefined ? [required(`${field}.target.averageUtilization`, 'must set either a target raw value or a target utilization')] : []),
  ...(target.averageUtilization !== undefined && target.averageValue !== undefined ? [forbidden(`${field}.target.averageValue`, 'may not set both a target raw value and a target utilization')] : []),
  ...(target.value === undefined ? [] : [forbidden(`${field}.target.value`, 'must not set value for the resource metric source')]),
];

const validateMetricName = ({ name, selector }: MetricIdentifier, field: string): readonly FieldError[] => [
  ...validateSegment(name, `${field}.name`),
  ...validateLabelSelector(selector, `${field}.selector`),
];

const validateAmount = (metric: MetricIdentifier, target: MetricTarget, field: string): readonly FieldError[] => [
  ...validateMetricName(metric, `${field}.metric`),
  ...validateTarget(target, `${field}.target`),
  ...(target.value === undefined && target.averageValue === undefined ? [required(`${field}.target.averageValue`, 'must set either a target value for metric or a per-pod target')] : []),
  ...(target.value !== undefined && target.averageValue !== undefined ? [forbidden(`${field}.target.value`, 'may not set both a target value for metric and a per-pod target')] : []),
];

const members = { ContainerResource: 'containerResource', External: 'external', Object: 'object', Pods: 'pods', Resource: 'resource' } as const satisfies Record<MetricSpec['type'], keyof MetricSpec>;

const validateMetric = (spec: MetricSpec, field: string): readonly FieldError[] => {
  const { resource, containerResource, object, pods, external } = spec;
  const expected = Object.hasOwn(members, spec.type) ? members[spec.type] : undefined;
  const errors: FieldError[] = [];
  if (expected !== undefined) {
    if (spec[expected] === undefined) errors.push(required(`${field}.${expected}`, 'must populate information for the given metric source'));
    for (const other of Object.values(members)) if (other !== expected && spec[other] !== undefined) errors.push(forbidden(`${field}.${other}`, 'must populate the given metric source only'));
  }
  if (resource !== undefined) errors.push(...validateUsage(resource.name, resource.target, `${field}.resource`));
  if (containerResource !== undefined) {
    errors.push(...validateUsage(containerResource.name, containerResource.target, `${field}.containerResource`));
    if (containerResource.container === '') errors.push(required(`${field}.containerResource.container`, 'must specify a container name'));
  }
  if (object !== undefined) errors.push(...validateReference(object.describedObject, `${field}.object.describedObject`), ...validateAmount(object.metric, object.target, `${field}.object`));
  if (external !== undefined) errors.push(...validateAmount(external.metric, external.target, `${field}.external`));
  if (pods !== undefined) {
    errors.push(...validateMetricName(pods.metric, `${field}.pods.metric`), ...validateTarget(pods.target, `${field}.pods.target`));
    if (pods.target.averageValue === undefined) errors.push(required(`${field}.pods.target.averageValue`, 'must specify a positive target averageValue'));
  }
  return errors;
};

const validateRules = (rules: HPAScalingRules | undefined, field: string): readonly FieldError[] => {
  if (rules === undefined) return [];
  const { policies = [], stabilizationWindowSeconds: window, tolerance } = rules;
  const above = (value: number, most: number): string | undefined => (value <= 0 ? 'must be greater than zero' : value > most ? `must be less than or equal to ${most}` : undefined);
  return [
    ...(window === undefined ? [] : window < 0 ? [wrong(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero')]
      : window > maxStabilizationSeconds ? [wrong(`${field}.stabilizationWindowSeconds`, window, `must be less than or equal to ${maxStabilizationSeconds}`)] : []),
    ...(tolerance !== undefined && (parseQuantity(tolerance)?.nano ?? 0n) < 0n ? [wrong(`${field}.tolerance`, tolerance, 'must be greater than or equal to zero')] : []),
    ...(policies.length === 0 ? [required(`${field}.policies`, 'must specify at least one Policy')] : []),
    ...policies.flatMap(({ type, value, periodSeconds }, index) => [
      ...(type === 'Pods' || type === 'Percent' ? [] : [unsupported(`${field}.policies[${index}].type`, type, ['Percent', 'Pods'])]),
      ...refused(`${field}.policies[${index}].value`, value, above(value, Infinity)),
      ...refused(`${field}.policies[${index}].periodSeconds`, periodSeconds, above(periodSeconds, maxPeriodSeconds)),
    ]),
  ];
};

/** Every wrong field of an autoscaler's spec. */
export const validateHorizontalPodAutoscalerSpec = (spec: HorizontalPodAutoscalerSpec): readonly FieldError[] => {
  const { minReplicas = 1, maxReplicas, behavior } = spec;
  return [
    ...(minReplicas < 1 ? [wrong('spec.minReplicas', minReplicas, 'must be greater than or equal to 1')] : []),
    ...(maxReplicas < 1 ? [wrong('spec.maxReplicas', maxReplicas, 'must be greater than 0')] : []),
    ...(maxReplicas < minReplicas ? [wrong('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`')] : []),
    ...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef'),
    ...(spec.metrics ?? []).flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
};
