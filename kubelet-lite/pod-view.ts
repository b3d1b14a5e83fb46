import { timeMs } from '../schemas/timestamps.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container, EphemeralContainer } from '../schemas/types/container.ts';
import type { ContainerStatus } from '../schemas/types/pod-status.ts';
import type { ContainerState, SandboxState } from './runtime/runtime.ts';
import type { RestartBackoff } from './restart-backoff.ts';
import type { RunningContainer } from './usage/usage.ts';

/** What the probes of one run of a container say. Without a probe, a run has started, lives and is ready. */
export interface ProbeVerdict {
  readonly started: boolean;
  readonly ready: boolean;
  /** Why the run must end: the probe that failed for good. */
  readonly failed?: { readonly probe: 'Liveness' | 'Startup'; readonly graceSeconds: number | undefined } | undefined;
}

/** Why a container is not being started now, as its status shows it. */
export interface Blocked {
  readonly reason: string;
  readonly message: string;
  readonly sinceMs: number;
  /** When to try again. */
  readonly untilMs: number;
}

const verdictReasons = ['DeadlineExceeded', 'Evicted', 'UnsupportedPod', 'NodeAffinity', 'NodePorts'] as const;
type VerdictReason = (typeof verdictReasons)[number] | `OutOf${string}`;
const isVerdictReason = (word: string): word is VerdictReason => word.startsWith('OutOf') || verdictReasons.some((one) => one === word);

/** A pod that is evicted has this long to end. */
export const evictionGraceSeconds = 1;

/** Why a pod ends though nobody deleted it. */
export interface Verdict {
  readonly reason: VerdictReason;
  readonly message: string;
  /** What it has to end; the pod's own grace where absent. */
  readonly graceSeconds?: number;
  /** Words of the pod's condition DisruptionTarget, where it has one by this. */
  readonly disruption?: string;
}

/** Why a pod is not given the resources that it asks for by now: never on this node, or not yet. */
export interface PendingResize { readonly reason: 'Infeasible' | 'Deferred'; readonly message: string }

/** All that decisions about one pod are made from. The agent collects it; plan and status only read it. */
export interface PodView {
  /** With the resources that the node has given it, which may not be those that it asks for by now. */
  readonly pod: Pod;
  /** The newest last. */
  readonly sandboxes: readonly SandboxState[];
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeVerdict>;
  /** Steps that are being carried out: `sandbox`, `terminate`, `container/<name>`. */
  readonly busy: ReadonlySet<string>;
  /** By container name. */
  readonly backoffs: ReadonlyMap<string, RestartBackoff>;
  /** The run that the agent itself put an end to last so that another begins, by container name. */
  readonly replaced?: ReadonlyMap<string, string> | undefined;
  /** By container name, or `sandboxItself`. */
  readonly blocked: ReadonlyMap<string, Blocked>;
  /** Set when the agent itself ended the pod (deadline, admission). Stays set. */
  readonly verdict: Verdict | undefined;
  readonly pendingResize?: PendingResize | undefined;
  readonly nowMs: number;
}

/** Stands in `blocked` for the sandbox; no container has this name. */
export const sandboxItself = '';

/** Stands in `blocked` for a change of the resources of a container that runs; no container has such a name. */
export const resizeOf = (name: string): string => `step/resize/${name}`;

/** A step of one container in `busy`. */
export const containerStep = (name: string): string => `container/${name}`;

/** Init containers that keep running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

export const initContainers = (pod: Pod): readonly Container[] => pod.spec?.initContainers ?? [];
export const appContainers = (pod: Pod): readonly Container[] => pod.spec?.containers ?? [];
/** Added to a running pod to look into it; each runs once. Their fields are those of containers, and few of them allowed. */
export const ephemeralContainers = (pod: Pod): readonly EphemeralContainer[] => pod.spec?.ephemeralContainers ?? [];
export const isEphemeral = (pod: Pod, name: string): boolean => ephemeralContainers(pod).some((one) => one.name === name);
export const allContainers = (pod: Pod): readonly Container[] => [...initContainers(pod), ...appContainers(pod), ...ephemeralContainers(pod)];

/** What the API has of the status of each container. */
export const recordedStatuses = ({ status }: Pod): readonly ContainerStatus[] =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])];

/** The pod's newest sandbox. */
export const currentSandbox = (view: PodView): SandboxState | undefined => view.sandboxes.at(-1);

/** Runs of a container in a sandbox, the newest last. */
export const runsOf = (sandbox: SandboxState | undefined, name: string): readonly ContainerState[] =>
  (sandbox?.containers ?? []).filter((run) => run.name === name);

/** Runs over all sandboxes that are left, the newest last. */
export const allRunsOf = (view: PodView, name: string): readonly ContainerState[] =>
  view.sandboxes.flatMap((sandbox) => runsOf(sandbox, name)).sort((a, b) => a.attempt - b.attempt);

/** Runs so far as the API has them: more than the engine's when old runs were removed. */
export const recordedRestarts = (pod: Pod, name: string): number | undefined =>
  recordedStatuses(pod).find((status) => status.name === name && hasRun(status))?.restartCount;

interface Recorded { readonly containerID?: string | undefined; readonly lastState?: { readonly terminated?: unknown } | undefined }
const hasRun = (status: Recorded): boolean => (status.containerID ?? '') !== '' || status.lastState?.terminated !== undefined;

/** The number of a container's next run. */
export const nextAttempt = (view: PodView, name: string): number =>
  Math.max(allRunsOf(view, name).at(-1)?.attempt ?? -1, recordedRestarts(view.pod, name) ?? -1) + 1;

/** The words for a run that will be taken up again, or not. */
export const mayRestart = (pod: Pod, container: Container, exitCode: number): boolean => {
  if (isEphemeral(pod, container.name)) return false;
  if (isSidecar(container)) return true;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  const isInit = initContainers(pod).some((init) => init.name === container.name);
  // An init container that succeeded is done, whatever the policy says.
  if (isInit) return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
};

/** True for a run that the agent put an end to so that another begins: how it ended decides nothing. An agent that was started since knows it from the status. */
export const isReplaced = ({ pod, replaced }: PodView, run: ContainerState): boolean => replaced?.get(run.name) === run.id
  || recordedStatuses(pod).some(({ name, state, lastState }) => name === run.name && state?.waiting !== undefined && lastState?.terminated?.containerID?.endsWith(`//${run.id}`) === true);

/** True for a run that has ended and that another follows. */
export const isFollowed = (view: PodView, container: Container, run: ContainerState): boolean =>
  mayRestart(view.pod, container, run.exitCode ?? 0) || isReplaced(view, run);

/** The API says that the pod has ended; nothing of it is ever started again. */
export const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** What an agent before this one decided of a pod, which has not ended by it yet; the status says so from then on. */
export const recordedVerdict = (pod: Pod): Verdict | undefined => {
  const { reason = '', message = '', conditions = [] } = pod.status ?? {};
  if (!isVerdictReason(reason) || hasEnded(pod)) return undefined;
  const disruption = conditions.find(({ type, reason: by }) => type === 'DisruptionTarget' && by === 'TerminationByKubelet')?.message;
  return { reason, message, ...(reason === 'Evicted' ? { graceSeconds: evictionGraceSeconds } : {}), ...(disruption === undefined ? {} : { disruption }) };
};

/** The node needs back what the pod has on it, and its logs go, too. */
export const isEvicted = ({ verdict, pod }: Pick<PodView, 'verdict' | 'pod'>): boolean => (verdict?.reason ?? pod.status?.reason) === 'Evicted';

/** The containers of a pod that run now. */
export const runningContainers = (pod: Pod, sandboxes: readonly SandboxState[]): readonly RunningContainer[] => {
  const startedAtMs = timeMs(pod.status?.startTime);
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return sandboxes.flatMap(({ containers }) => containers).filter(({ status }) => status === 'running').map((run) => ({
    id: run.id, name: run.name, startedAtMs: run.startedAtMs ?? run.createdAtMs, pod: { name, namespace, uid, startedAtMs },
  }));
};
