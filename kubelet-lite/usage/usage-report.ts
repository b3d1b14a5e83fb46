/** What a node uses in the two forms in which Kubernetes' agents tell it. Pure. */
import { rfc3339 } from '../../base/clock.ts';
import type { ContainerUsage, NodeUsage, Usage } from './usage.ts';

interface CpuStats { readonly time: string; readonly usageNanoCores?: number; readonly usageCoreNanoSeconds: number; readonly windowSeconds?: number }
interface MemoryStats { readonly time: string; readonly usageBytes: number; readonly workingSetBytes: number; readonly availableBytes?: number }

const cpuStats = ({ sample, rate }: Usage): CpuStats => ({
  time: rfc3339(sample.atMs),
  // Kubernetes does not say over what time its rate is; ours is told beside it.
  ...(rate === undefined ? {} : { usageNanoCores: rate.nanoCores, windowSeconds: rate.windowMs / 1_000 }),
  usageCoreNanoSeconds: Math.round(sample.cpuNanoseconds),
});
const memoryStats = ({ sample }: Usage): MemoryStats => ({ time: rfc3339(sample.atMs), usageBytes: sample.memoryBytes, workingSetBytes: sample.workingSetBytes });

/** A pod's use is that of its containers; undefined while one of them has no rate yet. */
const sumOf = (containers: readonly ContainerUsage[]): Usage => {
  const sum = (read: (usage: Usage) => number): number => containers.reduce((all, one) => all + read(one), 0);
  return {
    sample: {
      cpuNanoseconds: sum(({ sample }) => sample.cpuNanoseconds), memoryBytes: sum(({ sample }) => sample.memoryBytes),
      workingSetBytes: sum(({ sample }) => sample.workingSetBytes), atMs: Math.min(...containers.map(({ sample }) => sample.atMs)),
    },
    rate: containers.some(({ rate }) => rate === undefined) ? undefined
      : { nanoCores: sum(({ rate }) => rate?.nanoCores ?? 0), windowMs: Math.max(...containers.map(({ rate }) => rate?.windowMs ?? 0)) },
  };
};

const byPod = (containers: readonly ContainerUsage[]): readonly (readonly ContainerUsage[])[] => [...Map.groupBy(containers, ({ pod }) => pod.uid).values()];

export interface SummaryOptions {
  readonly nodeName: string;
  readonly startedAtMs: number;
  /** Memory of the machine. */
  readonly memoryBytes: number;
}

/** The answer to `/stats/summary`. */
export const statsSummary = ({ node, containers }: NodeUsage, { nodeName, startedAtMs, memoryBytes }: SummaryOptions): object => ({
  node: {
    nodeName, startTime: rfc3339(startedAtMs),
    ...(node === undefined ? {} : { cpu: cpuStats(node), memory: { ...memoryStats(node), availableBytes: Math.max(0, memoryBytes - node.sample.workingSetBytes) } }),
  },
  pods: byPod(containers).map((group) => {
    const { pod } = group[0]!;
    const all = sumOf(group);
    return {
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: rfc3339(pod.startedAtMs ?? Math.min(...group.map((one) => one.startedAtMs))),
      containers: group.map((one) => ({ name: one.name, startTime: rfc3339(one.startedAtMs), cpu: cpuStats(one), memory: memoryStats(one) })),
      cpu: cpuStats(all), memory: memoryStats(all),
    };
  }),
});

const label = (text: string): string => `"${text.replaceAll(/[\\\n"]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;

interface Line { readonly labels: string; readonly value: number; readonly atMs: number | undefined }

/** The answer to `/metrics/resource`, in Prometheus' text form, each number with the time at which it was read. */
export const resourceMetrics = ({ node, containers }: NodeUsage): string => {
  const out: string[] = [];
  const family = (name: string, type: 'counter' | 'gauge', help: string, lines: readonly Line[]): void => {
    out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines.map(({ labels, value, atMs }) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}${atMs === undefined ? '' : ` ${Math.round(atMs)}`}`));
  };
  const each = (value: (one: ContainerUsage) => number): readonly Line[] => containers.map((one) => ({
    labels: `container=${label(one.name)},namespace=${label(one.pod.namespace)},pod=${label(one.pod.name)}`, value: value(one), atMs: one.sample.atMs,
  }));
  const pods = byPod(containers).map((group) => ({ pod: group[0]!.pod, ...sumOf(group) }));
  const eachPod = (value: (one: Usage) => number): readonly Line[] => pods.map((one) => ({ labels: `namespace=${label(one.pod.namespace)},pod=${label(one.pod.name)}`, value: value(one), atMs: one.sample.atMs }));
  const self = (value: (one: Usage) => number): readonly Line[] => (node === undefined ? [] : [{ labels: '', value: value(node), atMs: node.sample.atMs }]);
  const seconds = ({ sample }: Usage): number => sample.cpuNanoseconds / 1e9;
  const bytes = ({ sample }: Usage): number => sample.workingSetBytes;
  family('container_cpu_usage_seconds_total', 'counter', 'CPU time that the container has used.', each(seconds));
  family('container_memory_working_set_bytes', 'gauge', 'Working set of the container.', each(bytes));
  family('container_start_time_seconds', 'gauge', 'When the container started, as Unix time.', each((one) => one.startedAtMs / 1_000));
  family('node_cpu_usage_seconds_total', 'counter', 'CPU time that the node has used.', self(seconds));
  family('node_memory_working_set_bytes', 'gauge', 'Working set of the node.', self(bytes));
  family('pod_cpu_usage_seconds_total', 'counter', 'CPU time that the containers of the pod have used.', eachPod(seconds));
  family('pod_memory_working_set_bytes', 'gauge', 'Working set of the containers of the pod.', eachPod(bytes));
  family('resource_scrape_error', 'gauge', '1 when the node itself could not be measured.', [{ labels: '', value: node === undefined ? 1 : 0, atMs: undefined }]);
  return `${out.join('\n')}\n`;
};
