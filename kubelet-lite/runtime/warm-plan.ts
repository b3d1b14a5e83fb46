/** Which warm sandboxes to make, and which to take away. Pure: the whole state in, the next step out. */
export interface WarmState {
  readonly nowMs: number;
  /** Sandboxes that are to wait for pods. */
  readonly count: number;
  /** Sandboxes that the node may have in all, those of pods among them: each holds an address. */
  readonly most: number;
  /** Pods that are on the node. */
  readonly pods: number;
  readonly warm: readonly { readonly id: string; readonly createdAtMs: number }[];
  /** Sandboxes whose pods have gone. */
  readonly spent: number;
  /** Starts that pods wait for now, and when the last of them ended. */
  readonly starts: number;
  readonly quietSinceMs: number;
  /** One could not be made: not before this. */
  readonly heldUntilMs: number;
}

export interface WarmPlan {
  readonly make: boolean;
  readonly remove: readonly string[];
  /** Takes away the spent one that is first. */
  readonly clear: boolean;
  /** When time alone changes the answer. */
  readonly wakeAtMs: number | undefined;
}

export const warmLimits = {
  /** A sandbox is made only when no pod has started for so long: it takes of the engine what pods would wait for. */
  quietMs: 2_000,
  /** What can wait longer, for there are sandboxes for the next pods: the other half of them, and the end of spent ones. */
  restMs: 5_000,
  /** An old sandbox is replaced, so that no mistake of its network lasts. */
  longestMs: 3_600_000,
  retryMs: 30_000,
} as const;

export const planWarm = ({ nowMs, count, most, pods, warm, spent, starts, quietSinceMs, heldUntilMs }: WarmState): WarmPlan => {
  const room = Math.max(0, most - pods);
  const wanted = Math.min(count, room);
  const byAge = warm.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  const surplus = byAge.slice(0, Math.max(0, byAge.length - wanted));
  const kept = byAge.slice(surplus.length);
  const remove = surplus.map(({ id }) => id);
  const step = (extra: Partial<WarmPlan>): WarmPlan => ({ make: false, remove, clear: false, wakeAtMs: undefined, ...extra });
  if (spent > Math.min(count, room - wanted)) return step({ clear: true });
  // The end of a start wakes the plan.
  if (starts > 0) return step({});
  const restAtMs = quietSinceMs + warmLimits.restMs;
  const lacks = kept.length < wanted;
  const makeAtMs = lacks ? Math.max(kept.length * 2 < wanted ? quietSinceMs + warmLimits.quietMs : restAtMs, heldUntilMs) : Infinity;
  const clearAtMs = spent > 0 ? restAtMs : Infinity;
  const [oldest] = kept;
  const replaceAtMs = lacks || oldest === undefined ? Infinity : Math.max(oldest.createdAtMs + warmLimits.longestMs, restAtMs);
  if (makeAtMs <= nowMs) return step({ make: true });
  if (clearAtMs <= nowMs) return step({ clear: true });
  // The next plan makes another in its place.
  if (oldest !== undefined && replaceAtMs <= nowMs) return step({ remove: [...remove, oldest.id] });
  const wakeAtMs = Math.min(makeAtMs, clearAtMs, replaceAtMs);
  return step({ wakeAtMs: wakeAtMs === Infinity ? undefined : wakeAtMs });
};
