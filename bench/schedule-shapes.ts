/** What bench/schedule.ts schedules: the shapes and sizes of Kubernetes' own scheduler_perf, with the rates that it demands. */
import type { PodSpec } from '../schemas/types/pod-spec.ts';

export interface PodWords {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

export interface Shape {
  readonly nodes: number;
  /** Pods that are on the nodes before, in turn. */
  readonly initial: number;
  readonly pods: number;
  /** Pods a second below which Kubernetes' own test fails; absent where it sets none. */
  readonly gate?: number;
  /** Values of the zone label, given to nodes in turn. */
  readonly zones?: readonly string[];
  readonly initialPod: PodWords;
  readonly pod: PodWords;
  /** What goes on beside: high priority pods that preempt, or nodes, pods that fit nowhere and services that come and go. */
  readonly churn?: { readonly everyMs: number; readonly what: 'preemptors' | 'mixed' };
  /** One pod after the other, so that the time of a single placement is measured; else as many at a time as the API takes. */
  readonly oneByOne?: true;
}

const zone = 'topology.kubernetes.io/zone';

const container = (cpu: string, memory: string): PodSpec['containers'] => {
  const amounts = { cpu, memory };
  return [{ name: 'pause', image: 'registry.k8s.io/pause:3.10.1', ports: [{ containerPort: 80 }], resources: { limits: amounts, requests: amounts } }];
};

const small = container('100m', '500Mi');
const basic: PodWords = { spec: { containers: small } };
const blue = { color: 'blue' };
const nodeAffinity: PodWords = { spec: { containers: small, affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'In', values: ['zone1', 'zone2'] }] }] } } } } };
const podAffinity: PodWords = { labels: blue, spec: { containers: small, affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: zone, labelSelector: { matchLabels: blue } }] } } } };
const antiAffinity: PodWords = { labels: { color: 'green' }, spec: { containers: small, affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { color: 'green' } } }] } } } };
const spread: PodWords = { labels: blue, spec: { containers: small, topologySpreadConstraints: [{ maxSkew: 5, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: blue } }] } };
const low: PodWords = { spec: { terminationGracePeriodSeconds: 0, containers: container('900m', '500Mi') } };

/** Of a higher priority than all others: takes the room of three low ones. */
export const preemptor: PodWords = { spec: { priorityClassName: 'high', containers: container('3', '500Mi') } };

/** Of a higher priority than all others, and larger than any node. */
export const unschedulable: PodWords = { spec: { priorityClassName: 'high', containers: container('9', '500Mi') } };

export const shapes: Readonly<Record<string, Shape>> = {
  'basic': { nodes: 5_000, initial: 1_000, pods: 10_000, gate: 680, initialPod: basic, pod: basic },
  'node-affinity': { nodes: 5_000, initial: 5_000, pods: 10_000, gate: 220, zones: ['zone1'], initialPod: nodeAffinity, pod: nodeAffinity },
  'pod-affinity': { nodes: 5_000, initial: 5_000, pods: 5_000, gate: 35, zones: ['zone1'], initialPod: podAffinity, pod: podAffinity },
  'anti-affinity': { nodes: 5_000, initial: 1_000, pods: 2_000, gate: 60, initialPod: antiAffinity, pod: antiAffinity },
  'topology-spread': { nodes: 5_000, initial: 5_000, pods: 5_000, gate: 460, zones: ['moon-1', 'moon-2', 'moon-3'], initialPod: basic, pod: spread },
  'preemption': { nodes: 5_000, initial: 20_000, pods: 5_000, gate: 570, initialPod: low, pod: basic, churn: { everyMs: 200, what: 'preemptors' } },
  'mixed-churn': { nodes: 5_000, initial: 0, pods: 10_000, gate: 710, initialPod: basic, pod: basic, churn: { everyMs: 1_000, what: 'mixed' } },
  'preemptors': { nodes: 1_000, initial: 4_000, pods: 1_000, initialPod: low, pod: preemptor },
  'swarm': { nodes: 1_000, initial: 30_000, pods: 1_000, initialPod: { spec: { containers: container('10m', '10Mi') } }, pod: { spec: { containers: container('10m', '10Mi') } }, oneByOne: true },
};
