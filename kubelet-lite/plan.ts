/**
 * What to do next for one pod: a pure function of what is there. A step is taken once; while it runs it stands in
 * `busy`, and the same question gives no second one. Nothing waits inside a step for another: the answer changes when the
 * world has.
 */
import { graceSecondsOf } from '../schemas/grace.ts';
import { timeMs } from '../schemas/timestamps.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import {
  allContainers, appContainers, containerStep, currentSandbox, ephemeralContainers, hasEnded, initContainers, isEphemeral, isEvicted, isFollowed, isSidecar, mayRestart, nextAttempt, runsOf, sandboxItself, type PodView,
} from './pod-view.ts';
import { cgroupLimits, changedResources, restartsFor } from './resources/cgroup-limits.ts';
import { restartAtMs } from './restart-backoff.ts';
import type { CgroupLimits, ContainerState, SandboxState } from './runtime/runtime.ts';

export type StopReason = 'liveness' | 'startup' | 'changed' | 'resized';

export type Step =
  | { readonly do: 'create-sandbox'; readonly attempt: number }
  /** A lost sandbox and all in it goes. */
  | { readonly do: 'remove-sandbox'; readonly id: string }
  /** The pod has ended: its network goes, what ran stays readable. */
  | { readonly do: 'end-sandbox'; readonly id: string }
  | { readonly do: 'start'; readonly container: Container; readonly attempt: number; readonly sandbox: SandboxState; readonly restarted: boolean }
  | { readonly do: 'stop'; readonly container: Container; readonly id: string; readonly reason: StopReason; readonly graceSeconds: number; /** Whether another run follows. */ readonly again: boolean }
  /** Other limits for a run, which goes on. */
  | { readonly do: 'resize'; readonly container: Container; readonly id: string; readonly limits: CgroupLimits; readonly before: CgroupLimits }
  | { readonly do: 'remove-container'; readonly id: string }
  /** Hooks, TERM and KILL for everything that runs, sidecars last. */
  | { readonly do: 'terminate'; readonly graceSeconds: number }
  /** An evicted pod has ended: nothing of it stays but its object. */
  | { readonly do: 'clear' }
  /** Nothing runs any more and somebody wants the pod gone: clean up, and take it out of the API. */
  | { readonly do: 'finish' };

export interface Plan {
  readonly steps: readonly Step[];
  /** When time alone changes the answer. */
  readonly wakeAtMs: number | undefined;
}

/** Runs of a container that are kept once they ended: the last, and the one before it for `logs --previous`. */
const keptRuns = 2;

export const planPod = (view: PodView): Plan => {
  const { pod, busy } = view;
  if (busy.has('terminate') || busy.has('clear') || busy.has('finish')) return { steps: [], wakeAtMs: undefined };
  const leaving = pod.metadata.deletionTimestamp !== undefined;
  if (leaving || view.verdict !== undefined || hasEnded(pod)) return { steps: ending(view, leaving), wakeAtMs: undefined };
  return going(view);
};

/** Seconds that a pod may still take to end. */
export const graceLeft = (view: PodView): number => {
  const { metadata, spec } = view.pod;
  const grace = Math.min(view.verdict?.graceSeconds ?? Infinity, metadata.deletionGracePeriodSeconds ?? graceSecondsOf(spec));
  const deadlineMs = timeMs(metadata.deletionTimestamp);
  // A timestamp has whole seconds only: round up, so that a process is never stopped before its time.
  return deadlineMs === undefined ? grace : Math.max(0, Math.min(grace, Math.ceil((deadlineMs - view.nowMs) / 1000)));
};

/** True when a pod that was leaving already has less time now. */
export const leavesBefore = ({ metadata: now }: Pod, { metadata: before }: Pod): boolean => before.deletionTimestamp !== undefined
  && ((timeMs(now.deletionTimestamp) ?? 0) < (timeMs(before.deletionTimestamp) ?? 0) || (now.deletionGracePeriodSeconds ?? 0) < (before.deletionGracePeriodSeconds ?? 0));

const ending = (view: PodView, leaving: boolean): readonly Step[] => {
  const runs = view.sandboxes.flatMap((sandbox) => sandbox.containers);
  if (runs.some((run) => run.status === 'running')) return [{ do: 'terminate', graceSeconds: graceLeft(view) }];
  // A start that is on its way ends by itself: it is cancelled, or what it started is stopped in the next round. (Where something runs already, the end of that waits for it.)
  if ([...view.busy].some((step) => step === 'sandbox' || step.startsWith('container/'))) return [];
  if (leaving) return [{ do: 'finish' }];
  if (isEvicted(view)) return view.sandboxes.length === 0 ? [] : [{ do: 'clear' }];
  return view.sandboxes.filter((sandbox) => sandbox.ready).map((sandbox) => ({ do: 'end-sandbox', id: sandbox.id }));
};

const going = (view: PodView): Plan => {
  const { pod, busy, nowMs } = view;
  if (busy.has('sandbox')) return { steps: [], wakeAtMs: undefined };
  const sandbox = currentSandbox(view);
  if (sandbox?.ready !== true) {
    const held = view.blocked.get(sandboxItself);
    if (held !== undefined && held.untilMs > nowMs) return { steps: [], wakeAtMs: held.untilMs };
    return { steps: sandbox === undefined ? [{ do: 'create-sandbox', attempt: 0 }] : withoutSandbox(view, sandbox), wakeAtMs: undefined };
  }

  const steps: Step[] = view.sandboxes.slice(0, -1).map((old) => ({ do: 'remove-sandbox', id: old.id }));
  const wakes: number[] = [];
  const consider = (container: Container): void => {
    const next = planContainer(view, sandbox, container);
    steps.push(...next.steps);
    if (next.wakeAtMs !== undefined) wakes.push(next.wakeAtMs);
  };
  let initialized = true;
  for (const container of initContainers(pod)) {
    // App containers that have run in this sandbox prove that initialization was over, even if its runs were removed.
    if (!isSidecar(container) && (isDone(sandbox, container) || appsBegan(view, sandbox))) continue;
    consider(container);
    if (isSidecar(container) && isUp(view, sandbox, container)) continue;
    if (isSidecar(container) && appsBegan(view, sandbox)) continue;
    initialized = false;
    break;
  }
  if (initialized) for (const container of appContainers(pod)) consider(container);
  // They run once, whatever became of the run.
  for (const container of ephemeralContainers(pod)) if (runsOf(sandbox, container.name).length > 0 || nextAttempt(view, container.name) === 0) consider(container);
  for (const container of allContainers(pod)) steps.push(...surplus(view, sandbox, container));
  const deadlineMs = deadlineOf(view);
  if (deadlineMs !== undefined) wakes.push(deadlineMs);
  return { steps, wakeAtMs: wakes.length === 0 ? undefined : Math.max(nowMs, Math.min(...wakes)) };
};

/** When activeDeadlineSeconds is over. */
export const deadlineOf = ({ pod }: PodView): number | undefined => {
  const seconds = pod.spec?.activeDeadlineSeconds;
  const startMs = timeMs(pod.status?.startTime);
  return seconds === undefined || startMs === undefined ? undefined : startMs + seconds * 1000;
};

/** The sandbox is lost. A new one is only made when something still has to run in it. */
const withoutSandbox = (view: PodView, sandbox: SandboxState): readonly Step[] => {
  const { pod } = view;
  if (sandbox.containers.some((run) => run.status === 'running')) return [{ do: 'remove-sandbox', id: sandbox.id }];
  const unfinished = appContainers(pod).some((container) => {
    const run = runsOf(sandbox, container.name).at(-1);
    return run === undefined ? !failedForGood(view, sandbox) : isFollowed(view, container, run);
  });
  return unfinished ? [{ do: 'create-sandbox', attempt: sandbox.attempt + 1 }] : [];
};

const failedForGood = (view: PodView, sandbox: SandboxState): boolean =>
  initContainers(view.pod).some((container) => {
    const run = runsOf(sandbox, container.name).at(-1);
    return run?.status === 'exited' && run.exitCode !== 0 && !mayRestart(view.pod, container, run.exitCode ?? 1);
  });

const isDone = (sandbox: SandboxState, container: Container): boolean => {
  const run = runsOf(sandbox, container.name).at(-1);
  return run?.status === 'exited' && run.exitCode === 0;
};

const isUp = (view: PodView, sandbox: SandboxState, container: Container): boolean => {
  const run = runsOf(sandbox, container.name).at(-1);
  return run?.status === 'running' && (view.probes.get(run.id)?.started ?? container.startupProbe === undefined);
};

const appsBegan = (view: PodView, sandbox: SandboxState): boolean =>
  appContainers(view.pod).some((container) => runsOf(sandbox, container.name).length > 0);

const planContainer = (view: PodView, sandbox: SandboxState, container: Container): Plan => {
  const { nowMs } = view;
  const none = { steps: [], wakeAtMs: undefined };
  if (view.busy.has(containerStep(container.name))) return none;
  const run = runsOf(sandbox, container.name).at(-1);
  const start = (attempt: number, restarted: boolean): Plan => ({ steps: [{ do: 'start', container, attempt, sandbox, restarted }], wakeAtMs: undefined });
  if (run?.status === 'running') {
    const step = whyStop(view, run, container) ?? resizing(view, run, container);
    return step === undefined ? none : { steps: [step], wakeAtMs: undefined };
  }
  const blocked = view.blocked.get(container.name);
  if (blocked !== undefined && blocked.untilMs > nowMs) return { steps: [], wakeAtMs: blocked.untilMs };
  // Made, but the agent went away before it was started.
  if (run?.status === 'created') return start(run.attempt, run.attempt > 0);
  if (run === undefined) return start(nextAttempt(view, container.name), false);
  if (!isFollowed(view, container, run)) return none;
  const atMs = restartAtMs(view.backoffs.get(container.name), run.finishedAtMs ?? run.createdAtMs);
  if (atMs > nowMs) return { steps: [], wakeAtMs: atMs };
  return start(nextAttempt(view, container.name), true);
};

const whyStop = (view: PodView, run: ContainerState, container: Container): Step | undefined => {
  const graceSeconds = graceSecondsOf(view.pod.spec);
  // What prepares the pod is left to its end, as in Kubernetes.
  const lives = isSidecar(container) || !initContainers(view.pod).includes(container);
  if (lives && container.image !== undefined && run.image !== container.image) return { do: 'stop', container, id: run.id, reason: 'changed', graceSeconds, again: true };
  const failed = view.probes.get(run.id)?.failed;
  if (failed === undefined) return undefined;
  return { do: 'stop', container, id: run.id, reason: failed.probe === 'Liveness' ? 'liveness' : 'startup', graceSeconds: failed.graceSeconds ?? graceSeconds, again: isSidecar(container) || view.pod.spec?.restartPolicy !== 'Never' };
};

/** The run has not the resources that its container was given. */
const resizing = (view: PodView, run: ContainerState, container: Container): Step | undefined => {
  if (run.limits === undefined || isEphemeral(view.pod, container.name)) return undefined;
  const limits = cgroupLimits(container.resources);
  const changed = changedResources(limits, run.limits);
  if (changed.length === 0) return undefined;
  return restartsFor(container, changed)
    ? { do: 'stop', container, id: run.id, reason: 'resized', graceSeconds: graceSecondsOf(view.pod.spec), again: true }
    : { do: 'resize', container, id: run.id, limits, before: run.limits };
};

const surplus = (view: PodView, sandbox: SandboxState, container: Container): readonly Step[] => {
  if (view.busy.has(containerStep(container.name))) return [];
  const runs = runsOf(sandbox, container.name);
  return runs.slice(0, -keptRuns).filter((run) => run.status === 'exited').map((run) => ({ do: 'remove-container', id: run.id }));
};
