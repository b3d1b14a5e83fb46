/** How patient an autoscaler is. All are flags of Kubernetes' controllers; the defaults are theirs. */
export interface AutoscalerTimes {
  /** Time between two looks at the metrics. */
  readonly syncMs: number;
  /** Over how long a time the highest wish counts before pods go, where an autoscaler does not say. */
  readonly downscaleStabilizationMs: number;
  /** For so long after its start the CPU of a pod counts only while it is ready. */
  readonly cpuInitializationMs: number;
  /** A pod whose readiness last changed within this time of its start has never been ready. */
  readonly initialReadinessDelayMs: number;
}

export const defaultTimes: AutoscalerTimes = { syncMs: 15_000, downscaleStabilizationMs: 300_000, cpuInitializationMs: 300_000, initialReadinessDelayMs: 30_000 };
