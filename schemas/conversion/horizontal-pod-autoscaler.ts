/**
 * The two forms of an autoscaler. autoscaling/v1 has a field for the CPU alone; everything else that autoscaling/v2 can
 * say stands there in annotations, as JSON of the newer form, and comes back from them.
 */
import { prune } from '../decode.ts';
import type {
  HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus,
} from '../kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerCondition } from '../kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { HorizontalPodAutoscalerSpecV1, HorizontalPodAutoscalerStatusV1 } from '../kinds/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { list, type Schema } from '../schema.ts';
import { MetricSpec, MetricStatus } from '../types/metric.ts';
import type { ObjectMeta } from '../types/object-meta.ts';

const annotations = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
} as const;

interface OldForm {
  readonly metadata: ObjectMeta;
  readonly spec: HorizontalPodAutoscalerSpecV1;
  readonly status?: HorizontalPodAutoscalerStatusV1 | undefined;
}

interface NewForm {
  readonly metadata: ObjectMeta;
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly status?: HorizontalPodAutoscalerStatus | undefined;
}

type Members<T> = Omit<T, 'metadata'> & { readonly metadata: ObjectMeta };

/** What an annotation says, if it is JSON of that shape; people can write anything there. */
const read = <T>(schema: Schema<T>, text: string | undefined): T | undefined => {
  if (text === undefined) return undefined;
  try {
    return prune(schema, JSON.parse(text)) as T;
  } catch {
    return undefined;
  }
};

const metricList = list(MetricSpec, 'Metrics.');
const statusList = list(MetricStatus, 'Metrics.');
const conditionList = list(HorizontalPodAutoscalerCondition, 'Conditions.');

const isCpu = ({ resource }: MetricSpec): boolean => resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;
const isCurrentCpu = ({ resource }: MetricStatus): boolean => resource?.name === 'cpu' && resource.current.averageUtilization !== undefined;

const currentOf = (status: HorizontalPodAutoscalerStatusV1, said: ObjectMeta['annotations']): HorizontalPodAutoscalerStatus => {
  const { currentCPUUtilizationPercentage: percent, ...rest } = status;
  const cpu: readonly MetricStatus[] = percent === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percent } } }];
  const others = read(statusList, said?.[annotations.currentMetrics]) ?? [];
  const conditions = read(conditionList, said?.[annotations.conditions]);
  return { ...rest, ...(cpu.length + others.length === 0 ? {} : { currentMetrics: [...cpu, ...others] }), ...(conditions === undefined ? {} : { conditions }) };
};

/** autoscaling/v1 as autoscaling/v2. */
export const toHorizontalPodAutoscaler = ({ metadata, spec, status }: OldForm): Members<NewForm> => {
  const { annotations: said, ...meta } = metadata;
  const own: readonly string[] = Object.values(annotations);
  const kept = Object.entries(said ?? {}).filter(([key]) => !own.includes(key));
  const { targetCPUUtilizationPercentage: percent, ...rest } = spec;
  const cpu: readonly MetricSpec[] = percent === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } }];
  const metrics = [...cpu, ...(read(metricList, said?.[annotations.metrics]) ?? [])];
  const behavior = read(HorizontalPodAutoscalerBehavior, said?.[annotations.behavior]);
  return {
    metadata: { ...meta, ...(said === undefined || (kept.length === 0 && Object.keys(said).length > 0) ? {} : { annotations: Object.fromEntries(kept) }) },
    spec: { ...rest, ...(metrics.length === 0 ? {} : { metrics }), ...(behavior === undefined ? {} : { behavior }) },
    ...(status === undefined ? {} : { status: currentOf(status, said) }),
  };
};

/** autoscaling/v2 as autoscaling/v1. */
export const fromHorizontalPodAutoscaler = ({ metadata, spec, status }: HorizontalPodAutoscaler): Members<OldForm> => {
  const { behavior, metrics = [], ...rest } = spec;
  const { currentMetrics = [], conditions = [], ...counts } = status ?? { desiredReplicas: 0 };
  const cpu = metrics.find(isCpu);
  const current = currentMetrics.find(isCurrentCpu);
  const others = metrics.filter((metric) => metric !== cpu);
  const otherStatuses = currentMetrics.filter((metric) => metric !== current);
  const said = {
    ...metadata.annotations,
    ...(others.length === 0 ? {} : { [annotations.metrics]: JSON.stringify(others) }),
    ...(behavior === undefined ? {} : { [annotations.behavior]: JSON.stringify(behavior) }),
    ...(otherStatuses.length === 0 ? {} : { [annotations.currentMetrics]: JSON.stringify(otherStatuses) }),
    ...(conditions.length === 0 ? {} : { [annotations.conditions]: JSON.stringify(conditions) }),
  };
  const percent = cpu?.resource?.target.averageUtilization;
  const used = current?.resource?.current.averageUtilization;
  return {
    metadata: { ...metadata, ...(Object.keys(said).length === 0 ? {} : { annotations: said }) },
    spec: { ...rest, ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }) },
    ...(status === undefined ? {} : { status: { ...counts, currentReplicas: counts.currentReplicas ?? 0, ...(used === undefined ? {} : { currentCPUUtilizationPercentage: used }) } }),
  };
};
