/** The columns of `get pods`: what a pod is doing, told in one word out of its phase and its containers' states. */
import { isConditionTrue } from '../conditions.ts';
import type { Column } from '../kind.ts';
import { age, orNone } from '../table-cells.ts';
import { timeMs } from '../timestamps.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import type { PodSpec } from '../types/pod-spec.ts';
import type { ContainerStatus, PodStatus } from '../types/pod-status.ts';
import { ageColumn, column, nameColumn } from './columns.ts';

interface PodLike {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
  readonly status?: PodStatus | undefined;
  readonly apiVersion: string;
  readonly kind: string;
}

/** Restarts, and when the last of them was. */
interface Restarts {
  readonly count: number;
  readonly lastTime: string | undefined;
}

const noRestarts: Restarts = { count: 0, lastTime: undefined };

const plus = (sum: Restarts, status: ContainerStatus): Restarts => {
  const finished = status.lastState?.terminated?.finishedAt;
  const later = finished !== undefined && (timeMs(finished) ?? 0) > (timeMs(sum.lastTime) ?? 0);
  return { count: sum.count + status.restartCount, lastTime: later ? finished : sum.lastTime };
};

const ending = ({ reason, signal, exitCode }: { readonly reason?: string | undefined; readonly signal?: number | undefined; readonly exitCode: number }): string =>
  reason !== undefined && reason !== '' ? reason : signal !== undefined && signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;

interface Initialization {
  /** What the pod waits for before its containers start, or undefined when nothing is in the way. */
  readonly reason: string | undefined;
  readonly restarts: Restarts;
  readonly sidecarRestarts: Restarts;
  readonly readySidecars: number;
}

const initialization = (spec: PodSpec, statuses: readonly ContainerStatus[]): Initialization => {
  const sidecars = sidecarNames(spec);
  let restarts = noRestarts;
  let sidecarRestarts = noRestarts;
  let readySidecars = 0;
  for (const [index, status] of statuses.entries()) {
    const sidecar = sidecars.has(status.name);
    restarts = plus(restarts, status);
    if (sidecar) sidecarRestarts = plus(sidecarRestarts, status);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) readySidecars++;
      continue;
    }
    const told = waiting?.reason;
    const reason = terminated !== undefined ? `Init:${ending(terminated)}`
      : told !== undefined && told !== '' && told !== 'PodInitializing' ? `Init:${told}`
        : `Init:${index}/${spec.initContainers?.length ?? 0}`;
    return { reason, restarts, sidecarRestarts, readySidecars };
  }
  return { reason: undefined, restarts, sidecarRestarts, readySidecars };
};

const sidecarNames = (spec: PodSpec): ReadonlySet<string> =>
  new Set((spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name));

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: Restarts;
}

const terminal: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

/** What `get pods` says of a pod, before it is made into text. */
export const summarizePod = (pod: PodLike): PodSummary => {
  const { spec, status = {}, metadata } = pod;
  const conditions = status.conditions ?? [];
  const phase = status.phase ?? '';
  let word = status.reason !== undefined && status.reason !== '' ? status.reason : phase;
  if (conditions.some((one) => one.type === 'PodScheduled' && one.reason === 'SchedulingGated')) word = 'SchedulingGated';

  const start = initialization(spec, status.initContainerStatuses ?? []);
  if (start.reason !== undefined) word = start.reason;
  let { restarts } = start;
  let ready = start.readySidecars;
  if (start.reason === undefined || isConditionTrue(conditions, 'Initialized')) {
    restarts = start.sidecarRestarts;
    let running = false;
    for (const one of (status.containerStatuses ?? []).toReversed()) {
      restarts = plus(restarts, one);
      const { waiting, terminated, running: runs } = one.state ?? {};
      if (waiting?.reason !== undefined && waiting.reason !== '') word = waiting.reason;
      else if (terminated !== undefined) word = ending(terminated);
      else if (one.ready && runs !== undefined) {
        running = true;
        ready++;
      }
    }
    if (word === 'Completed' && running) word = isConditionTrue(conditions, 'Ready') ? 'Running' : 'NotReady';
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') word = 'Unknown';
    else if (!terminal.has(phase)) word = 'Terminating';
  }
  return { ready, total: spec.containers.length + sidecarNames(spec).size, status: word, restarts };
};

const restartsCell = ({ restarts: { count, lastTime } }: PodSummary, nowMs: number): string =>
  count === 0 || lastTime === undefined ? String(count) : `${count} (${age(lastTime, nowMs)} ago)`;

const gatesCell = ({ spec, status }: PodLike): string => {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter((gate) => isConditionTrue(status?.conditions, gate.conditionType)).length}/${gates.length}`;
};

export const podColumns: readonly Column<PodLike>[] = [
  nameColumn,
  column('Ready', 'Containers that are ready, of all.', (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  column('Status', 'What the pod is doing.', (pod) => summarizePod(pod).status),
  column('Restarts', 'How often containers have been started again, and when last.', (pod, nowMs) => restartsCell(summarizePod(pod), nowMs)),
  ageColumn,
  column('IP', 'Address of the pod.', ({ status }) => orNone(status?.podIPs?.[0]?.ip ?? status?.podIP), { shown: 'wide' }),
  column('Node', 'Node on which the pod runs.', ({ spec }) => orNone(spec.nodeName), { shown: 'wide' }),
  column('Nominated Node', 'Node on which room is being made for the pod.', ({ status }) => orNone(status?.nominatedNodeName), { shown: 'wide' }),
  column('Readiness Gates', 'Readiness gates that are true, of all.', gatesCell, { shown: 'wide' }),
];
