import { rfc3339 } from '../base/clock.ts';
import type { Container } from '../schemas/types/container.ts';
import type { ContainerState as ApiState, ContainerStateTerminated, ContainerStatus } from '../schemas/types/pod-status.ts';
import {
  allRunsOf, appContainers, containerStep, currentSandbox, hasEnded, initContainers, isEphemeral, isReplaced, isSidecar, mayRestart, recordedRestarts, recordedStatuses, runsOf, type PodView,
} from './pod-view.ts';
import { resourcesInForce } from './resources/cgroup-limits.ts';
import { restartAtMs } from './restart-backoff.ts';
import type { ContainerState } from './runtime/runtime.ts';

/** What the agent knows beside the engine's states. */
export interface StatusSources {
  /** Scheme of container ids: `docker`. */
  readonly runtimeName: string;
  /** Last words of runs that ended, by container id. */
  readonly messages: ReadonlyMap<string, string>;
}

/** ErrImagePull is shown this long before it becomes ImagePullBackOff, so that the reason of the failure can be read. */
export const pullErrorShownMs = 2_000;

const terminated = (run: ContainerState, { runtimeName, messages }: StatusSources): ContainerStateTerminated => ({
  exitCode: run.exitCode ?? 0,
  reason: run.oomKilled ? 'OOMKilled' : run.error !== undefined ? 'StartError' : run.exitCode === 0 ? 'Completed' : 'Error',
  message: run.error ?? (messages.get(run.id) || undefined),
  startedAt: rfc3339(run.startedAtMs ?? run.createdAtMs),
  finishedAt: rfc3339(run.finishedAtMs ?? run.createdAtMs),
  containerID: `${runtimeName}://${run.id}`,
});

const duration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
};

/** The reason of a container that has not begun: Kubernetes' kubelet gives it by the pod, whichever container waits, and `get` makes `Init:0/2` of it. */
const notBegun = ({ pod }: PodView): string => (initContainers(pod).length > 0 ? 'PodInitializing' : 'ContainerCreating');

const waitingFor = (view: PodView, container: Container, last: ContainerState | undefined): { readonly reason: string; readonly message?: string | undefined } | undefined => {
  const { pod, nowMs } = view;
  const blocked = view.blocked.get(container.name);
  if (blocked !== undefined) {
    const backOff = blocked.reason === 'ErrImagePull' && nowMs - blocked.sinceMs >= pullErrorShownMs;
    return backOff
      ? { reason: 'ImagePullBackOff', message: `Back-off pulling image "${container.image ?? ''}": ${blocked.message}` }
      : { reason: blocked.reason === 'ContainerCreating' ? notBegun(view) : blocked.reason, message: blocked.message || undefined };
  }
  if (last === undefined) return { reason: notBegun(view) };
  const backoff = view.backoffs.get(container.name);
  if (backoff !== undefined && restartAtMs(backoff, last.finishedAtMs ?? last.createdAtMs) > nowMs) {
    const { namespace = '', name = '', uid = '' } = pod.metadata;
    return { reason: 'CrashLoopBackOff', message: `back-off ${duration(backoff.delayMs)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})` };
  }
  return undefined;
};

/** True when every init container has done its work, or runs as a sidecar. */
export const isInitialized = (view: PodView): boolean => {
  const sandbox = currentSandbox(view);
  const appsBegan = appContainers(view.pod).some((container) => runsOf(sandbox, container.name).length > 0);
  return appsBegan || initContainers(view.pod).every((container) => {
    const run = runsOf(sandbox, container.name).at(-1);
    return isSidecar(container) ? run?.status === 'running' && hasStarted(view, run, container) : run?.status === 'exited' && run.exitCode === 0;
  });
};

const hasStarted = (view: PodView, run: ContainerState, container: Container): boolean =>
  view.probes.get(run.id)?.started ?? container.startupProbe === undefined;

/** Taken over from the API where the engine has nothing left to tell. */
const recorded = (view: PodView, name: string): ContainerStatus | undefined =>
  recordedStatuses(view.pod).find((status) => status.name === name);

/** What was set aside for a container, and what it really has. An agent that tells the latter is one that can change it. */
const given = ({ resources = {} }: Container, running: ContainerState | undefined): Pick<ContainerStatus, 'allocatedResources' | 'resources'> => ({
  ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }),
  resources: running?.limits === undefined ? resources : resourcesInForce(resources, running.limits),
});

/** One entry of containerStatuses or initContainerStatuses. */
export const containerStatus = (view: PodView, container: Container, sources: StatusSources): ContainerStatus => {
  const { pod } = view;
  const runs = allRunsOf(view, container.name);
  const last = runs.at(-1);
  const before = recorded(view, container.name);
  const over = view.verdict !== undefined || hasEnded(pod) || pod.metadata.deletionTimestamp !== undefined;
  const previous = runs.findLast((run) => run.status === 'exited' && run !== last);
  const older = (run: ContainerState | undefined): ApiState => (run === undefined ? (before?.lastState ?? {}) : { terminated: terminated(run, sources) });
  const isInit = initContainers(pod).some((init) => init.name === container.name);

  let state: ApiState;
  let lastState = older(previous);
  if (last?.status === 'running') {
    state = { running: { startedAt: rfc3339(last.startedAtMs ?? last.createdAtMs) } };
  } else if (last?.status === 'exited') {
    // A success that is not the end is never shown as one: the API lets nothing begin again after it.
    const waiting = over ? undefined
      : mayRestart(pod, container, last.exitCode ?? 0) ? waitingFor(view, container, last)
      : isReplaced(view, last) ? (waitingFor(view, container, last) ?? { reason: notBegun(view) }) : undefined;
    state = waiting === undefined ? { terminated: terminated(last, sources) } : { waiting };
    if (waiting !== undefined) lastState = { terminated: terminated(last, sources) };
  } else if (last === undefined && before?.state?.terminated !== undefined && (over || view.sandboxes.length === 0)) {
    state = before.state;
    lastState = before.lastState ?? {};
  } else {
    const waiting = waitingFor(view, container, undefined) ?? { reason: notBegun(view) };
    state = { waiting: over ? { reason: view.busy.has(containerStep(container.name)) ? notBegun(view) : waiting.reason } : waiting };
  }
  const running = last?.status === 'running' ? last : undefined;
  const started = running !== undefined && hasStarted(view, running, container);
  const probed = running === undefined ? undefined : view.probes.get(running.id)?.ready;
  const ready = isInit && !isSidecar(container)
    ? state.terminated?.exitCode === 0
    : started && !isEphemeral(pod, container.name) && (probed ?? container.readinessProbe === undefined);
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: last?.imageId ?? before?.imageID ?? '',
    containerID: last === undefined ? before?.containerID : `${sources.runtimeName}://${last.id}`,
    restartCount: Math.max(last?.attempt ?? 0, recordedRestarts(pod, container.name) ?? 0),
    ready, started, state, lastState,
    ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
    ...(isEphemeral(pod, container.name) ? {} : given(container, running)),
  };
};
