import type Docker from 'dockerode';
import { limitsIn } from './docker-specs.ts';
import type { CgroupLimits, ContainerState, SandboxState } from './runtime.ts';

/** What is written on every container, so that a restarted agent finds all it needs to adopt its pods. */
export const labels = {
  /** Which agent made it: several may share an engine. */
  owner: 'barge.dev/owner',
  type: 'barge.dev/type',
  podUid: 'barge.dev/pod-uid',
  podName: 'barge.dev/pod-name',
  podNamespace: 'barge.dev/pod-namespace',
  container: 'barge.dev/container',
  attempt: 'barge.dev/attempt',
  sandbox: 'barge.dev/sandbox',
  sharePid: 'barge.dev/share-pid',
  image: 'barge.dev/image',
  tty: 'barge.dev/tty',
  /** On a sandbox that was made before any pod asked for it: the digest of what it was made from. */
  warm: 'barge.dev/warm',
  /** On a container in such a sandbox: the host name that it starts with, and the one that it is to have. */
  givenHostname: 'barge.dev/given-hostname',
  hostname: 'barge.dev/hostname',
} as const;

export interface PodOf {
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
}

/** `barge_<container>_<pod>_<namespace>_<uid8>_<attempt>`: readable in `docker ps`, and the engine's guard against doubles. */
export const containerName = (container: string, pod: PodOf, attempt: number): string =>
  `barge_${container}_${pod.podName}_${pod.podNamespace}_${pod.podUid.slice(0, 8)}_${attempt}`;

/**
 * A sandbox's name holds all of its pod's identity: the engine renames containers, but never changes their labels, and so a
 * sandbox that was made before it had a pod becomes that pod's in one step that cannot be half done, by its name alone.
 */
export const sandboxName = (pod: PodOf, attempt: number): string => `barge_POD_${pod.podName}_${pod.podNamespace}_${pod.podUid}_${attempt}`;

interface Named { readonly name: string; readonly labels: Readonly<Record<string, string>> }

/** The pod of a container or sandbox, and which of its kind it is; undefined for a sandbox that has no pod yet. */
export const podOf = ({ name, labels: own }: Named): PodOf & { readonly attempt: number } | undefined => {
  const podUid = own[labels.podUid];
  if (podUid !== undefined) return { podUid, podName: own[labels.podName] ?? '', podNamespace: own[labels.podNamespace] ?? '', attempt: Number(own[labels.attempt] ?? 0) };
  const [, podName, podNamespace, uid, attempt] = /^\/?barge_POD_([^_]+)_([^_]+)_([^_]+)_(\d+)$/.exec(name) ?? [];
  return podName === undefined || podNamespace === undefined || uid === undefined ? undefined : { podUid: uid, podName, podNamespace, attempt: Number(attempt) };
};

const podOfRow = (row: Docker.ContainerInfo): ReturnType<typeof podOf> => podOf({ name: row.Names?.[0] ?? '', labels: row.Labels });

/** A pattern for the names of all that one pod has on the engine; other pods may have a name like it. */
export const namesOf = (podUid: string): string => `_${podUid.slice(0, 8)}[^_]*_[0-9]+$`;

/** What is known of a container from events and answers, newer or finer than what a listing says. */
export interface KnownState {
  readonly startedAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  readonly error?: string | undefined;
  readonly limits?: CgroupLimits | undefined;
}

const timeOf = (text: string | undefined): number | undefined => {
  if (text === undefined || text.startsWith('0001-')) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
};

/** The states in which a process runs; a paused one does, too. */
const running = new Set(['running', 'paused', 'restarting']);

export const isRunning = (state: string): boolean => running.has(state);

/** True when a listing's row needs no inspection to be told in full. */
export const isToldBy = (row: Docker.ContainerInfo, known: KnownState | undefined): boolean =>
  known?.exitCode !== undefined || (isRunning(row.State) && known?.startedAtMs !== undefined && (known.limits !== undefined || row.Labels[labels.type] !== 'container'));

/** A container that the engine could not start stays `created`, with the reason; it counts as one that has ended. */
export const knownFrom = (inspected: Docker.ContainerInspectInfo): KnownState => {
  const { State: state } = inspected;
  const failed = state.Status === 'created' && state.Error !== '';
  const ended = failed || state.Status === 'exited' || state.Status === 'dead';
  return {
    startedAtMs: timeOf(state.StartedAt),
    finishedAtMs: ended ? (timeOf(state.FinishedAt) ?? Date.parse(inspected.Created)) : undefined,
    exitCode: ended ? (failed && state.ExitCode === 0 ? 128 : state.ExitCode) : undefined,
    oomKilled: state.OOMKilled,
    error: state.Error === '' ? undefined : state.Error,
    limits: limitsIn(inspected.HostConfig),
  };
};

export const containerState = (row: Docker.ContainerInfo, known: KnownState | undefined): ContainerState => ({
  id: row.Id,
  name: row.Labels[labels.container] ?? '',
  attempt: Number(row.Labels[labels.attempt] ?? 0),
  image: row.Labels[labels.image] ?? row.Image,
  imageId: row.ImageID,
  status: known?.exitCode !== undefined ? 'exited' : isRunning(row.State) ? 'running' : row.State === 'created' ? 'created' : 'exited',
  createdAtMs: row.Created * 1000,
  startedAtMs: known?.startedAtMs,
  finishedAtMs: known?.finishedAtMs,
  exitCode: known?.exitCode,
  oomKilled: known?.oomKilled ?? false,
  error: known?.error,
  limits: known?.limits,
  labels: row.Labels,
});

/** Before every attempt that the agent makes. */
const vanishedAttempt = -1;

/** Stands for a sandbox that somebody removed: what ran in it may still run, and must be found to be taken away. */
const vanished = (id: string, [row]: readonly Docker.ContainerInfo[]): Docker.ContainerInfo[] => (row === undefined ? [] : [{
  ...row, Id: id, Names: [], State: 'removed', NetworkSettings: { Networks: {} }, Labels: { ...row.Labels, [labels.type]: 'sandbox', [labels.attempt]: String(vanishedAttempt) },
}]);

/** Rows of a listing, put together into pods; a sandbox without one is left out. Containers whose sandbox was removed stand under one that is lost. */
export const sandboxStates = (rows: readonly Docker.ContainerInfo[], known: ReadonlyMap<string, KnownState>): SandboxState[] => {
  const containers = Map.groupBy(rows.filter((row) => row.Labels[labels.type] === 'container'), (row) => row.Labels[labels.sandbox] ?? '');
  const sandboxes = rows.filter((row) => row.Labels[labels.type] === 'sandbox');
  const orphans = [...containers].filter(([id]) => !sandboxes.some((row) => row.Id === id)).flatMap(([id, ones]) => vanished(id, ones));
  return [...sandboxes, ...orphans].flatMap((row) => {
    const pod = podOfRow(row);
    if (pod === undefined) return [];
    const ready = isRunning(row.State) && known.get(row.Id)?.exitCode === undefined;
    const ip = Object.values(row.NetworkSettings?.Networks ?? {}).map((network) => network.IPAddress).find((address) => address !== '');
    return [{
      id: row.Id,
      ...pod,
      ready,
      createdAtMs: row.Created * 1000,
      ip: ready ? ip : undefined,
      labels: row.Labels,
      containers: (containers.get(row.Id) ?? []).map((one) => containerState(one, known.get(one.Id)))
        .sort((a, b) => a.name.localeCompare(b.name) || a.attempt - b.attempt),
    }];
  }).sort((a, b) => a.podUid.localeCompare(b.podUid) || a.attempt - b.attempt);
};
