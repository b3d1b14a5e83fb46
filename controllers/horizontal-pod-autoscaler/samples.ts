/** What the pods of a target use, as the metrics API says it, sorted into pods that count and pods that do not. */
import { isTerminating } from '../pod-state.ts';
import { conditionOf } from '../../schemas/conditions.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodMetrics } from '../../schemas/kinds/metrics/pod-metrics.ts';
import { cpuMilli } from '../../schemas/quantity.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import type { AutoscalerTimes } from './times.ts';

/** What is measured: a resource of whole pods, or of one container of each. */
export interface Measured {
  readonly resource: string;
  readonly container: string | undefined;
}

/** Thousandths of what one pod uses, on average over the window that ends at `atMs`. */
export interface Sample {
  readonly milli: number;
  readonly atMs: number;
  readonly windowMs: number;
}

/** By name of the pod. */
export type Samples = ReadonlyMap<string, Sample>;

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, 'µs': 1e-3, ns: 1e-6 };

/** A window such as `15s` or `1m0.5s`; 0 for what is no length of time. */
export const windowMs = (text: string): number =>
  [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0);

/**
 * A sample for each pod of which everything was measured. A text says why there are none: a pod that lacks the container
 * by name makes the metric worthless, since it is the metric that is wrong.
 */
export const samplesOf = (metrics: readonly PodMetrics[], { resource, container }: Measured): Samples | string => {
  const samples = new Map<string, Sample>();
  for (const { metadata: { name = '', namespace }, containers, timestamp, window } of metrics) {
    const counted = container === undefined ? containers : containers.filter((one) => one.name === container);
    if (container !== undefined && counted.length === 0) return `container ${container} not present in metrics for pod ${namespace}/${name}`;
    if (counted.some(({ usage }) => usage[resource] === undefined)) continue;
    const milli = counted.reduce((sum, { usage }) => sum + cpuMilli(usage[resource]), 0);
    samples.set(name, { milli, atMs: timeMs(timestamp) ?? 0, windowMs: windowMs(window) });
  }
  return samples;
};

/** Pods by how they count; each pod is in one of the lists, or in none while it goes or after it has failed. */
export interface Sorted {
  readonly ready: readonly Pod[];
  /** They have no say: pending, or too young for their CPU to mean anything. */
  readonly unready: readonly Pod[];
  /** They run, and nobody knows what they use. */
  readonly missing: readonly Pod[];
  readonly gone: readonly Pod[];
}

/** Sorts pods as Kubernetes does. Only for CPU does it matter whether a pod has become ready: starting costs CPU, and memory stays. */
export const sortPods = (pods: readonly Pod[], samples: Samples, resource: string, { nowMs, times }: { readonly nowMs: number; readonly times: AutoscalerTimes }): Sorted => {
  const sorted = { ready: [] as Pod[], unready: [] as Pod[], missing: [] as Pod[], gone: [] as Pod[] };
  for (const pod of pods) {
    const sample = samples.get(pod.metadata.name ?? '');
    if (isTerminating(pod) || pod.status?.phase === 'Failed') sorted.gone.push(pod);
    else if ((pod.status?.phase ?? 'Pending') === 'Pending') sorted.unready.push(pod);
    else if (sample === undefined) sorted.missing.push(pod);
    else if (resource === 'cpu' && isStarting(pod, sample, nowMs, times)) sorted.unready.push(pod);
    else sorted.ready.push(pod);
  }
  return sorted;
};

/**
 * Whether the CPU of a pod still says nothing: in its first minutes while it is not ready, or measured before it had been
 * for a whole window; later only when it has never been ready.
 */
const isStarting = ({ status }: Pod, sample: Sample, nowMs: number, times: AutoscalerTimes): boolean => {
  const condition = conditionOf(status?.conditions, 'Ready');
  const startedMs = timeMs(status?.startTime);
  if (condition === undefined || startedMs === undefined) return true;
  const sinceMs = timeMs(condition.lastTransitionTime) ?? 0;
  const isUnready = condition.status === 'False';
  if (startedMs + times.cpuInitializationMs > nowMs) return isUnready || sample.atMs < sinceMs + sample.windowMs;
  return isUnready && startedMs + times.initialReadinessDelayMs > sinceMs;
};

/** Thousandths that each pod asks for, by name; or which container asks for nothing. */
export const requestsOf = (pods: readonly Pod[], { resource, container }: Measured): ReadonlyMap<string, number> | string => {
  const requests = new Map<string, number>();
  for (const { metadata: { name = '' }, spec } of pods) {
    const whole = container === undefined ? spec.resources?.requests?.[resource] : undefined;
    if (whole !== undefined) {
      requests.set(name, cpuMilli(whole));
      continue;
    }
    const counted = [...spec.containers, ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')]
      .filter((one) => container === undefined || one.name === container);
    const silent = counted.find(({ resources }) => resources?.requests?.[resource] === undefined);
    if (silent !== undefined) return `missing request for ${resource} in container ${silent.name} of Pod ${name}`;
    requests.set(name, counted.reduce((sum, { resources }) => sum + cpuMilli(resources?.requests?.[resource]), 0));
  }
  return requests;
};
