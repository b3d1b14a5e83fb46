/**
 * How many pods one metric wants: as many times those of now as the metric is its target. What is not known is taken for
 * what speaks against a change: pods without figures use all they may when pods should go, and nothing when pods should
 * come, and so do pods that are not ready when pods should come.
 */
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodMetrics } from '../../schemas/kinds/metrics/pod-metrics.ts';
import { cpuMilli, parseQuantity, quantityOfMilli } from '../../schemas/quantity.ts';
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../schemas/types/metric.ts';
import { requestsOf, samplesOf, sortPods, type Measured, type Samples } from './samples.ts';
import type { AutoscalerTimes } from './times.ts';

/** What one metric says. */
export interface Proposal {
  readonly replicas: number;
  /** The metric in words, for reasons. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** Why a metric says nothing: the reason and message of the condition, and the message of the whole. */
export interface NoProposal {
  readonly reason: string;
  readonly message: string;
  readonly error: string;
}

/** By what share a metric may miss its target before anything is done. */
export interface Tolerance {
  readonly up: number;
  readonly down: number;
}

export interface ProposalState {
  /** Pods that the target's selector chooses. */
  readonly pods: readonly Pod[];
  /** What the metrics API says of them, or why it says nothing. */
  readonly usage: readonly PodMetrics[] | { readonly failed: string };
  /** What the target is asked for now. */
  readonly currentReplicas: number;
  readonly tolerance: Tolerance;
  readonly nowMs: number;
  readonly times: AutoscalerTimes;
}

/** How far the pods are from their target, and what that looks like in a status. */
interface Reading {
  readonly ratio: number;
  readonly current: MetricValueStatus;
}

/** Reads a metric off figures, and says what a pod is taken for that has none when pods should go. */
interface Gauge {
  read(samples: ReadonlyMap<string, number>): Reading | string;
  most(pod: Pod): number;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0);

/** A share of what the pods ask for: percentages, without a fraction. */
const utilizationGauge = (target: number, requests: ReadonlyMap<string, number>): Gauge => ({
  read: (samples) => {
    const known = [...samples].filter(([name]) => requests.has(name));
    const asked = sum(known.map(([name]) => requests.get(name)!));
    if (asked === 0) return 'no metrics returned matched known pods';
    const used = sum(known.map(([, milli]) => milli));
    const averageUtilization = Math.trunc((used * 100) / asked);
    return { ratio: averageUtilization / target, current: { averageUtilization, averageValue: quantityOfMilli(Math.trunc(used / known.length)) } };
  },
  most: ({ metadata: { name = '' } }) => Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target)) / 100),
});

/** An amount for each pod. */
const amountGauge = (targetMilli: number): Gauge => ({
  read: (samples) => {
    const average = Math.trunc(sum(samples.values()) / samples.size);
    return { ratio: average / targetMilli, current: { averageValue: quantityOfMilli(average) } };
  },
  most: () => targetMilli,
});

const tolerates = ({ up, down }: Tolerance, ratio: number): boolean => ratio >= 1 - down && ratio <= 1 + up;

const gaugeOf = ({ averageUtilization, averageValue }: MetricTarget, pods: readonly Pod[], measured: Measured): Gauge | string => {
  if (averageValue !== undefined) return amountGauge(cpuMilli(averageValue));
  if (averageUtilization === undefined) return 'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set';
  const requests = requestsOf(pods, measured);
  return typeof requests === 'string' ? requests : utilizationGauge(averageUtilization, requests);
};

const wantedFor = (measured: Measured, target: MetricTarget, state: ProposalState): (Reading & { readonly replicas: number }) | string => {
  const { pods, usage, currentReplicas, tolerance } = state;
  const samples = 'failed' in usage ? usage.failed : samplesOf(usage, measured);
  if (typeof samples === 'string') return `unable to get metrics for resource ${measured.resource}: ${samples}`;
  if (pods.length === 0) return 'no pods returned by selector while calculating replica count';
  const sorted = sortPods(pods, samples, measured.resource, state);
  const gauge = gaugeOf(target, pods, measured);
  if (typeof gauge === 'string') return gauge;
  const counted = millisOf(samples, new Set([...sorted.gone, ...sorted.unready]));
  if (counted.size === 0) return 'did not receive metrics for targeted pods (pods might be unready)';
  const first = gauge.read(counted);
  if (typeof first === 'string') return first;
  const { ratio, current } = first;
  const stay = { ratio, current, replicas: currentReplicas };
  const addsUnready = sorted.unready.length > 0 && ratio > 1;
  if (!addsUnready && sorted.missing.length === 0) return tolerates(tolerance, ratio) ? stay : { ratio, current, replicas: Math.ceil(ratio * sorted.ready.length) };
  for (const pod of sorted.missing) counted.set(pod.metadata.name ?? '', ratio < 1 ? gauge.most(pod) : 0);
  if (addsUnready) for (const pod of sorted.unready) counted.set(pod.metadata.name ?? '', 0);
  const second = gauge.read(counted);
  if (typeof second === 'string') return second;
  // What was filled in may take away the reason for a change, but never turn it round.
  const turned = (ratio < 1 && second.ratio > 1) || (ratio > 1 && second.ratio < 1) || ratio === 1;
  if (turned || tolerates(tolerance, second.ratio)) return stay;
  const replicas = Math.ceil(second.ratio * counted.size);
  if ((second.ratio < 1 && replicas > currentReplicas) || (second.ratio > 1 && replicas < currentReplicas)) return stay;
  return { ratio, current, replicas };
};

const millisOf = (samples: Samples, without: ReadonlySet<Pod>): Map<string, number> => {
  const names = new Set([...without].map(({ metadata }) => metadata.name));
  return new Map([...samples].filter(([name]) => !names.has(name)).map(([name, { milli }]) => [name, milli]));
};

const customApi = 'unable to fetch metrics from custom metrics API: no known available metric versions found';
const externalApi = 'unable to fetch metrics from external metrics API: no known available metric versions found';

const refused = (reason: string, message: string, what = ''): NoProposal => ({ reason, message, error: `${what}${message}` });

/** How many pods a metric wants, or why it cannot say. Metrics of other APIs than metrics.k8s.io are not served. */
export const propose = (spec: MetricSpec, state: ProposalState): Proposal | NoProposal => {
  const { resource, containerResource, pods, object, external } = spec;
  if (pods !== undefined) return refused('FailedGetPodsMetric', `unable to get metric ${pods.metric.name}: ${customApi}`, 'failed to get pods metric value: ');
  if (object !== undefined) return refused('FailedGetObjectMetric', `unable to get metric ${object.metric.name}: ${customApi}`, 'failed to get object metric value: ');
  if (external !== undefined) return refused('FailedGetExternalMetric', `unable to get external metric ${external.metric.name}: ${externalApi}`, `failed to get ${external.metric.name} external metric value: `);
  const source = resource ?? containerResource;
  if (source === undefined) return refused('InvalidMetricSourceType', `unknown metric source type "${spec.type}"`);
  const { name, target } = source;
  const found = wantedFor({ resource: name, container: containerResource?.container }, target, state);
  const isAmount = target.averageValue !== undefined;
  if (typeof found === 'string') {
    const message = `failed to get ${name} ${isAmount ? 'usage' : 'utilization'}: ${found}`;
    return containerResource === undefined ? refused('FailedGetResourceMetric', message, `failed to get ${name} resource metric value: `)
      : refused('FailedGetContainerResourceMetric', message, `failed to get ${name} container metric value: `);
  }
  const { current, replicas } = found;
  return {
    replicas, name: isAmount ? `${name} resource` : `${name} resource utilization (percentage of request)`,
    status: containerResource === undefined ? { type: 'Resource', resource: { name, current } }
      : { type: 'ContainerResource', containerResource: { name, container: containerResource.container, current } },
  };
};

/** A tolerance as it is written; a tenth where it is not. */
export const toleranceOf = (text: string | undefined): number => (text === undefined ? 0.1 : Number(parseQuantity(text)?.nano ?? 100_000_000n) / 1e9);
