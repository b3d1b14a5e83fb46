/**
 * The status of a pod as the API shows it: a pure function of what is there and of the status that was written last
 * (whose transition times stay where nothing changed). It follows Kubernetes' rules for phase and conditions.
 */
import { rfc3339 } from '../base/clock.ts';
import { deepEqual } from '../schemas/frozen.ts';
import type { ContainerStatus, PodCondition, PodStatus } from '../schemas/types/pod-status.ts';
import { containerStatus, isInitialized, type StatusSources } from './container-status.ts';
import { allRunsOf, appContainers, currentSandbox, ephemeralContainers, hasEnded, initContainers, isReplaced, isSidecar, mayRestart, resizeOf, runsOf, type PodView } from './pod-view.ts';
import { qosClass } from './qos.ts';
import { cgroupLimits, changedResources } from './resources/cgroup-limits.ts';

export interface NodeFacts extends StatusSources {
  readonly nodeIp: string;
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

const succeeded = (status: ContainerStatus): boolean => (status.state?.terminated ?? (status.state?.waiting === undefined ? undefined : status.lastState?.terminated))?.exitCode === 0;
const stopped = (status: ContainerStatus): boolean => status.state?.terminated !== undefined || (status.state?.waiting !== undefined && status.lastState?.terminated !== undefined);

/** Steps that start something, or end it. */
const mayStillRun = (step: string): boolean => step === 'sandbox' || step === 'terminate' || step.startsWith('container/');

/** Where the pod is in its life. */
export const phaseOf = (view: PodView, apps: readonly ContainerStatus[], inits: readonly ContainerStatus[]): Phase => {
  const { pod } = view;
  if (hasEnded(pod)) return pod.status?.phase as Phase;
  const running = [...apps, ...inits].some((status) => status.state?.running !== undefined);
  const ending = pod.metadata.deletionTimestamp !== undefined || view.verdict !== undefined;
  if (ending && !running && ![...view.busy].some(mayStillRun)) {
    if (view.verdict !== undefined) return 'Failed';
    return apps.every((status) => status.state?.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  const failedInit = inits.some((status) => {
    const container = initContainers(pod).find((init) => init.name === status.name);
    const end = status.state?.terminated;
    return container !== undefined && !isSidecar(container) && end !== undefined && end.exitCode !== 0 && !mayRestart(pod, container, end.exitCode);
  });
  if (failedInit) return 'Failed';
  if (!isInitialized(view) && !apps.some((status) => status.state?.running !== undefined || stopped(status))) return 'Pending';
  if (apps.some((status) => status.state?.running === undefined && !stopped(status))) return 'Pending';
  if (apps.some((status) => status.state?.running !== undefined)) return 'Running';
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (policy === 'Always' || appContainers(pod).some(({ name }) => allRunsOf(view, name).slice(-1).some((run) => isReplaced(view, run)))) return 'Running';
  if (apps.every(succeeded)) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
};

interface Finding { readonly type: string; readonly status: 'True' | 'False'; readonly reason?: string | undefined; readonly message?: string | undefined }

const unreadiness = (statuses: readonly ContainerStatus[], phase: Phase): Omit<Finding, 'type'> => {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  const unready = statuses.filter((status) => !status.ready).map((status) => status.name);
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  if (unready.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
};

const findings = (view: PodView, phase: Phase, apps: readonly ContainerStatus[], inits: readonly ContainerStatus[]): readonly Finding[] => {
  const { pod } = view;
  const sandbox = currentSandbox(view);
  const up = sandbox?.ready === true && (sandbox.ip !== undefined || pod.spec?.hostNetwork === true);
  const sidecars = inits.filter((status) => initContainers(pod).some((init) => init.name === status.name && isSidecar(init)));
  const containersReady = unreadiness([...sidecars, ...apps], phase);
  const openGates = (pod.spec?.readinessGates ?? []).map((gate) => gate.conditionType)
    .filter((type) => pod.status?.conditions?.find((condition) => condition.type === type)?.status !== 'True');
  const gated: Omit<Finding, 'type'> = containersReady.status === 'True' && openGates.length > 0
    ? { status: 'False', reason: 'ReadinessGatesNotReady', message: openGates.map((type) => `the status of pod readiness gate "${type}" is not "True"`).join(', ') }
    : containersReady;
  const incomplete = inits.filter((status) => !status.ready).map((status) => status.name);
  const initialized: Omit<Finding, 'type'> = phase === 'Succeeded' ? { status: 'True', reason: 'PodCompleted' }
    : initContainers(pod).length === 0 || isInitialized(view) || (hasEnded(pod) && incomplete.length === 0) ? { status: 'True' }
    : { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` };
  return [
    { type: 'PodReadyToStartContainers', status: up ? 'True' : 'False' },
    { type: 'Initialized', ...initialized },
    { type: 'Ready', ...gated },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
    ...(view.verdict?.disruption === undefined ? [] : [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: view.verdict.disruption } as const]),
  ];
};

const resizeConditions = ['PodResizePending', 'PodResizeInProgress'];

/** Conditions of a change of resources that is not done. They are absent where there is none. */
const resizeFindings = (view: PodView): readonly Finding[] => {
  const { pod, pendingResize, blocked } = view;
  const sandbox = currentSandbox(view);
  const changing = [...initContainers(pod), ...appContainers(pod)].filter((container) => {
    const run = runsOf(sandbox, container.name).at(-1);
    return run?.status === 'running' && run.limits !== undefined && changedResources(cgroupLimits(container.resources), run.limits).length > 0;
  });
  const errors = changing.flatMap(({ name }) => blocked.get(resizeOf(name))?.message ?? []);
  return [
    ...(pendingResize === undefined ? [] : [{ type: 'PodResizePending', status: 'True' as const, ...pendingResize }]),
    ...(changing.length === 0 ? [] : [{ type: 'PodResizeInProgress', status: 'True' as const, ...(errors.length === 0 ? {} : { reason: 'Error', message: errors.join('; ') }) }]),
  ];
};

const conditionsOf = (old: readonly PodCondition[], found: readonly Finding[], now: string): readonly PodCondition[] => [
  ...found.map(({ type, status, reason, message }): PodCondition => {
    const before = old.find((condition) => condition.type === type);
    const kept = before?.status === status ? before.lastTransitionTime : undefined;
    return { type, status, reason, message, lastTransitionTime: kept ?? now };
  }),
  // What others wrote (a readiness gate, a disruption) stays.
  ...old.filter(({ type }) => !resizeConditions.includes(type) && !found.some((finding) => finding.type === type)),
];

/** True for a pod that was refused: its containers wait for nothing, and tables show why it failed. */
const neverBegan = ({ pod, verdict, sandboxes }: PodView): boolean =>
  (verdict !== undefined || hasEnded(pod)) && sandboxes.length === 0 && pod.status?.containerStatuses === undefined;

/** The whole status to write. */
export const podStatus = (view: PodView, facts: NodeFacts): PodStatus => {
  const { pod } = view;
  const old: PodStatus = pod.status ?? {};
  const now = rfc3339(view.nowMs);
  const inits = initContainers(pod).map((container) => containerStatus(view, container, facts));
  const apps = appContainers(pod).map((container) => containerStatus(view, container, facts));
  const ephemerals = ephemeralContainers(pod).map((container) => containerStatus(view, container, facts));
  const phase = phaseOf(view, apps, inits);
  const podIp = pod.spec?.hostNetwork === true ? facts.nodeIp : (currentSandbox(view)?.ip ?? (phase === 'Pending' ? undefined : old.podIP));
  return {
    ...old,
    phase,
    ...(view.verdict === undefined ? {} : { reason: view.verdict.reason, message: view.verdict.message }),
    conditions: conditionsOf(old.conditions ?? [], [...findings(view, phase, apps, inits), ...resizeFindings(view)], now),
    hostIP: facts.nodeIp,
    hostIPs: [{ ip: facts.nodeIp }],
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: old.startTime ?? now,
    qosClass: old.qosClass ?? qosClass(pod),
    ...(neverBegan(view) ? {} : {
      ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
      containerStatuses: apps,
      ...(ephemerals.length === 0 ? {} : { ephemeralContainerStatuses: ephemerals }),
    }),
  };
};

/**
 * True where the newer status says nothing but that a pod which still starts has its sandbox. The start of its containers comes
 * next and says that too; a write for each would make a third of what a pod costs the API server until it runs.
 */
export const tellsOnlyOfSandbox = (old: PodStatus, newer: PodStatus): boolean => {
  const rest = ({ podIP: _ip, podIPs: _ips, conditions, ...others }: PodStatus): unknown => ({ ...others, conditions: conditions?.filter(({ type }) => type !== 'PodReadyToStartContainers') });
  return newer.phase === 'Pending' && deepEqual(rest(old), rest(newer));
};
