/** Which warm sandboxes to make and to take away. Pure: the whole state in, the next step out. */
export interface WarmState {
  readonly nowMs: number;
  /** Sandboxes that are to wait for pods. */
  readonly count: number;
  /** Sandboxes that the node may have in all, those of pods among them: each holds an address. */
  readonly most: number;
  /** Pods that are on the node. */
  readonly pods: number;
  readonly warm: readonly { readonly id: string; readonly createdAtMs: number }[];
  /** Starts that pods wait for now, and when the last of them ended. */
  readonly starts: number;
  readonly quietSinceMs: number;
  /** One could not be made: not before this. */
  readonly heldUntilMs: number;
}

export interface WarmPlan {
  readonly make: boolean;
  readonly remove: readonly string[];
  /** When time alone changes the answer. */
  readonly wakeAtMs: number | undefined;
}

export const warmLimits = {
  /** A sandbox is made only when no pod has started for so long: it takes of the engine what pods would wait for. */
  quietMs: 2_000,
  /** An old sandbox is replaced, so that no mistake of its network lasts. */
  longestMs: 3_600_000,
  retryMs: 30_000,
} as const;

export const planWarm = ({ nowMs, count, most, pods, warm, starts, quietSinceMs, heldUntilMs }: WarmState): WarmPlan => {
  const wanted = Math.max(0, Math.min(count, most - pods));
  const byAge = warm.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  const surplus = byAge.slice(0, Math.max(0, byAge.length - wanted));
  const kept = byAge.slice(surplus.length);
  const oldest = kept[0];
  const expiresAtMs = oldest === undefined ? Infinity : oldest.createdAtMs + warmLimits.longestMs;
  const lacks = kept.length < wanted;
  const calmAtMs = Math.max(quietSinceMs + warmLimits.quietMs, lacks ? heldUntilMs : 0);
  const remove = surplus.map(({ id }) => id);
  // The end of a start wakes the plan.
  if (starts > 0) return { make: false, remove, wakeAtMs: undefined };
  if (lacks) return calmAtMs > nowMs ? { make: false, remove, wakeAtMs: calmAtMs } : { make: true, remove, wakeAtMs: undefined };
  if (oldest === undefined) return { make: false, remove, wakeAtMs: undefined };
  const replaceAtMs = Math.max(expiresAtMs, calmAtMs);
  // The next plan makes another in its place.
  return replaceAtMs > nowMs ? { make: false, remove, wakeAtMs: replaceAtMs } : { make: false, remove: [...remove, oldest.id], wakeAtMs: undefined };
};
