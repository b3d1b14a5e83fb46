/** Kubernetes' numbers: the first restart is at once, the next after 10 s, doubling to 5 minutes; 10 quiet minutes forget it all. */
export const restartDelays = { firstMs: 10_000, longestMs: 300_000, forgetMs: 600_000 } as const;

/** The wait that goes before a container's next restart, and when it was last raised. */
export interface RestartBackoff { readonly delayMs: number; readonly atMs: number }

/** When a run that ended may be followed by the next. */
export const restartAtMs = (backoff: RestartBackoff | undefined, finishedAtMs: number): number =>
  backoff === undefined || finishedAtMs - backoff.atMs > restartDelays.forgetMs ? finishedAtMs : finishedAtMs + backoff.delayMs;

/** The backoff after one more restart. */
export const raised = (backoff: RestartBackoff | undefined, nowMs: number): RestartBackoff => ({
  delayMs: backoff === undefined || nowMs - backoff.atMs > restartDelays.forgetMs + backoff.delayMs
    ? restartDelays.firstMs
    : Math.min(restartDelays.longestMs, backoff.delayMs * 2),
  atMs: nowMs,
});
