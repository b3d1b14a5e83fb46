import type { StatsSample } from './runtime.ts';

/** The members of the engine's stats that are read here; null where a cgroup has no such counter. */
export interface EngineStats {
  readonly read: string;
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/**
 * A sample with the working set as Kubernetes counts it: memory in use less the file pages that the kernel may drop.
 * cgroup v1 calls them total_inactive_file, v2 inactive_file.
 */
export const sampleFrom = (stats: EngineStats): StatsSample => {
  const memoryBytes = stats.memory_stats?.usage ?? 0;
  const files = stats.memory_stats?.stats ?? {};
  const inactive = files['total_inactive_file'] ?? files['inactive_file'] ?? 0;
  return {
    cpuNanoseconds: stats.cpu_stats?.cpu_usage?.total_usage ?? 0,
    memoryBytes,
    workingSetBytes: Math.max(0, memoryBytes - inactive),
    atMs: Date.parse(stats.read),
  };
};
