/**
 * The end of a pod: its endpoints are withdrawn first, so that no new request comes; then each container's preStop hook,
 * TERM, and KILL when the grace is over. Sidecars stay until the others are gone and end in reverse order.
 */
import { sleep, type Clock } from '../base/clock.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import { allContainers, initContainers, isSidecar } from './pod-view.ts';
import type { ContainerRuntime, ContainerState } from './runtime/runtime.ts';
import type { StopHooks } from './stop-hooks.ts';

/** How the proxy is waited for; the same shape as the proxy's own. */
export interface EndpointWithdrawal {
  withdrawn(podIp: string, signal: AbortSignal): Promise<void>;
}

export const terminationLimits = {
  /** The proxies have half of the grace to take the pod out of their tables, or this where that is less, and no longer than the longest. */
  shortWithdrawalMs: 5_000, withdrawalMs: 30_000,
  /** A container has at least this long between its hook and KILL, also when the hook took all of the grace. */
  leastGraceSeconds: 2,
} as const;

export interface TerminationSurroundings {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly withdrawal: EndpointWithdrawal;
}

export interface Termination {
  readonly pod: Pod;
  /** As they are when it is asked. */
  readonly runs: () => readonly ContainerState[];
  /** Resolves when the starts that were under way are over: what they brought up is among the runs by then. */
  readonly starting: Promise<unknown>;
  readonly hooks: StopHooks;
  readonly graceSeconds: number;
  /** Address to withdraw; undefined where nothing can be sent to the pod. */
  readonly podIp: string | undefined;
  /** Address for hooks. */
  readonly host: string;
  readonly report: (container: Container | undefined, type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** Resolves when nothing of the pod runs any more. An aborted signal cuts hooks and waits short: TERM and KILL come at once. */
export const terminatePod = async (termination: Termination, s: TerminationSurroundings, signal: AbortSignal): Promise<void> => {
  const { pod, graceSeconds, podIp } = termination;
  const deadlineMs = s.clock.now() + graceSeconds * 1000;
  const containerOf = (run: ContainerState): Container | undefined => allContainers(pod).find(({ name }) => name === run.name);
  const running: ContainerState[] = [];
  const takeNew = (): readonly ContainerState[] => {
    const fresh = termination.runs().filter(({ id, status }) => status === 'running' && running.every((known) => known.id !== id));
    for (const run of fresh) termination.report(containerOf(run), 'Normal', 'Killing', `Stopping container ${run.name}`);
    running.push(...fresh);
    return fresh;
  };
  takeNew();
  if (podIp !== undefined && graceSeconds > 0) await withdraw(podIp, longestWithdrawalMs(graceSeconds), s, signal);
  const sidecars = initContainers(pod).filter(isSidecar).map(({ name }) => name);
  const stopMain = async (runs: readonly ContainerState[]): Promise<void> => {
    const main = runs.filter((run) => !sidecars.includes(run.name));
    await Promise.all(main.map((run) => stopRun(run, containerOf(run), deadlineMs, { termination, s, signal })));
  };
  // What is being started when the pod begins to leave has its sidecars to its end, as all the others have.
  await Promise.all([stopMain([...running]), within(termination.starting, deadlineMs - s.clock.now(), s, signal).then(() => stopMain(takeNew()))]);
  for (const name of sidecars.toReversed()) {
    for (const run of running) if (run.name === name) await stopRun(run, containerOf(run), deadlineMs, { termination, s, signal });
  }
};

/** Waits for something no longer than this, and not at all for somebody in a hurry. */
const within = async (something: Promise<unknown>, longestMs: number, { clock }: TerminationSurroundings, signal: AbortSignal): Promise<void> => {
  if (longestMs <= 0) return;
  const enough = new AbortController();
  await Promise.race([something, sleep(clock, longestMs, AbortSignal.any([signal, enough.signal]))]);
  enough.abort();
};

const longestWithdrawalMs = (graceSeconds: number): number => {
  const { shortWithdrawalMs, withdrawalMs } = terminationLimits;
  return Math.min(withdrawalMs, Math.max(graceSeconds * 500, Math.min(shortWithdrawalMs, graceSeconds * 1000)));
};

const withdraw = async (podIp: string, longestMs: number, { clock, withdrawal }: TerminationSurroundings, signal: AbortSignal): Promise<void> => {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  signal.addEventListener('abort', stop, { once: true });
  const cancel = clock.after(longestMs, stop);
  if (signal.aborted) stop();
  try {
    await withdrawal.withdrawn(podIp, abort.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
};

interface Around { readonly termination: Termination; readonly s: TerminationSurroundings; readonly signal: AbortSignal }

const stopRun = async (run: ContainerState, container: Container | undefined, deadlineMs: number, { termination, s, signal }: Around): Promise<void> => {
  const left = (): number => Math.max(0, deadlineMs - s.clock.now());
  const hook = container?.lifecycle?.preStop;
  if (container !== undefined && hook !== undefined && left() > 0 && !signal.aborted) {
    const outcome = await termination.hooks.carryOut(hook, { container, containerId: run.id, host: termination.host }, left(), signal);
    if (outcome !== undefined && !signal.aborted) termination.report(container, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${outcome}`);
  }
  const grace = termination.graceSeconds === 0 ? 0 : Math.max(Math.ceil(left() / 1000), terminationLimits.leastGraceSeconds);
  const stopping = s.runtime.stopContainer(run.id, grace);
  // Whoever is in a hurry now does not wait for the grace that was promised before.
  const hurry = new AbortController();
  const kill = (): void => {
    void s.runtime.stopContainer(run.id, 0).catch(() => undefined);
  };
  signal.addEventListener('abort', kill, { once: true, signal: hurry.signal });
  if (signal.aborted && grace > 0) void sleep(s.clock, terminationLimits.leastGraceSeconds * 1000, hurry.signal).then(() => (hurry.signal.aborted ? undefined : kill()));
  try {
    await stopping;
  } finally {
    hurry.abort();
  }
};
