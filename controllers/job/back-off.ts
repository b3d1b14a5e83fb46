import type { Job } from '../../schemas/kinds/batch/job.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { endedAtMs, outcomeOf, verdictOf } from './pod-outcome.ts';

/** A pod that failed is followed by another after 10 s, doubling to 10 minutes: Kubernetes' numbers. */
const delays = { firstMs: 10_000, longestMs: 600_000 } as const;

/** Milliseconds until the next pod: by the failures since the last success among these pods. 0: at once. */
export const waitBeforeMs = (job: Job, pods: readonly Pod[], nowMs: number): number => {
  let lastSuccessMs = -Infinity;
  const failures: number[] = [];
  for (const pod of pods) {
    const outcome = outcomeOf(job, pod);
    if (outcome === 'succeeded') lastSuccessMs = Math.max(lastSuccessMs, endedAtMs(pod, nowMs));
    else if (outcome === 'failed' && verdictOf(job, pod).action !== 'Ignore') failures.push(endedAtMs(pod, nowMs));
  }
  const recent = failures.filter((atMs) => atMs > lastSuccessMs);
  if (recent.length === 0) return 0;
  const delayMs = Math.min(delays.firstMs * 2 ** Math.min(recent.length - 1, 30), delays.longestMs);
  return Math.max(0, Math.max(...recent) + delayMs - nowMs);
};
