/** What a node and its containers use, as data, and how it follows from samples. Pure. */
import type { StatsSample } from '../runtime/runtime.ts';

/** CPU time is measured over a stretch of time, memory at its end. */
export interface Usage {
  readonly sample: StatsSample;
  /** Billionths of a core over the window; undefined as long as there was none. */
  readonly rate: { readonly nanoCores: number; readonly windowMs: number } | undefined;
}

/** A container that runs. */
export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly startedAtMs: number;
  readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string; readonly startedAtMs: number | undefined };
}

export interface ContainerUsage extends RunningContainer, Usage {}

export interface NodeUsage {
  readonly node: Usage | undefined;
  readonly containers: readonly ContainerUsage[];
}

/** Shorter stretches say little: a tick of the kernel's clock counts for too much in them. */
const leastWindowMs = 1_000;

/** The average between two samples; undefined when they are too close, or the counter began anew. */
export const rateBetween = (before: Pick<StatsSample, 'cpuNanoseconds' | 'atMs'>, after: StatsSample): Usage['rate'] => {
  const windowMs = after.atMs - before.atMs;
  const used = after.cpuNanoseconds - before.cpuNanoseconds;
  return windowMs < leastWindowMs || used < 0 ? undefined : { nanoCores: Math.round((used / windowMs) * 1_000), windowMs };
};

/** What a container used since it was last looked at; one that is new, since it started. */
export const usageAfter = (before: Usage | undefined, sample: StatsSample, bornAtMs: number | undefined): Usage => {
  const start = before?.sample ?? (bornAtMs === undefined ? undefined : { cpuNanoseconds: 0, atMs: bornAtMs });
  const rate = start === undefined ? undefined : rateBetween(start, sample);
  // Two looks in one second keep what the first one found.
  if (rate === undefined && before !== undefined && sample.cpuNanoseconds >= before.sample.cpuNanoseconds && before.rate !== undefined) return before;
  return { sample, rate };
};
