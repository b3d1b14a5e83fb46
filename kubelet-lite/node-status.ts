/** What a node says of itself: a pure function of the engine's and the machine's facts. */
import { rfc3339 } from '../base/clock.ts';
import { formatQuantity, parseQuantity, quantityOfBytes } from '../schemas/quantity.ts';
import type { NodeCondition, NodeStatus } from '../schemas/kinds/core/node.ts';
import { isExtendedResource } from '../schemas/quota/usage.ts';
import { engineLabelsAnnotation, executionDriverAnnotation, storageDriverAnnotation } from '../schemas/swarm/engine-annotations.ts';
import type { PressureCondition, Signal, Threshold } from './pressure/thresholds.ts';
import type { ImageState, RuntimeInfo } from './runtime/runtime.ts';

/** Read off the machine. */
export interface MachineFacts {
  readonly diskTotalBytes: number;
  readonly machineId: string;
  readonly bootId: string;
}

export interface NodeStatusInput {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly port: number;
  readonly runtime: RuntimeInfo;
  readonly machine: MachineFacts;
  /** What the machine is short of. */
  readonly pressure: ReadonlySet<PressureCondition>;
  /** Why the node cannot take pods; undefined when it can. */
  readonly notReady: string | undefined;
  /** What images the engine has; undefined when it did not say. */
  readonly images: readonly ImageState[] | undefined;
  readonly reservations: Reservations;
  readonly version: string;
  readonly nowMs: number;
}

/** Pods that a node takes, as Kubernetes' default. */
export const mostPods = 110;

const goArchitectures: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm', i686: '386' };

/** `amd64` for the engine's `x86_64`. */
export const goArchitecture = (name: string): string => goArchitectures[name] ?? name;

export const nodeLabels = (nodeName: string, architecture: string): Readonly<Record<string, string>> => ({
  'kubernetes.io/hostname': nodeName,
  'kubernetes.io/os': 'linux',
  'kubernetes.io/arch': goArchitecture(architecture),
  'beta.kubernetes.io/os': 'linux',
  'beta.kubernetes.io/arch': goArchitecture(architecture),
});

/** What constraints in Docker Swarm's language ask about the engine. */
export const engineAnnotations = ({ storageDriver, defaultRuntime, labels }: RuntimeInfo): Readonly<Record<string, string>> => ({
  [storageDriverAnnotation]: storageDriver,
  [executionDriverAnnotation]: defaultRuntime,
  [engineLabelsAnnotation]: JSON.stringify(labels),
});

/** Images that a status names, the largest: Kubernetes' number, for a status is written whole. */
export const mostImages = 50;

/** What pods may use of the node. */
export const nodeResources = (runtime: RuntimeInfo, machine: MachineFacts): Readonly<Record<string, string>> => ({
  cpu: String(runtime.cpuCount),
  memory: quantityOfBytes(runtime.memoryBytes),
  'ephemeral-storage': quantityOfBytes(machine.diskTotalBytes),
  pods: String(mostPods),
});

/** What pods may not have of a node. */
export interface Reservations {
  /** Amounts by resource, which add up. */
  readonly reserved: readonly Readonly<Record<string, string>>[];
  /** Pods that are promised what eviction keeps free would be evicted for having it. */
  readonly thresholds: readonly Threshold[];
}

const signalsOf: Readonly<Record<string, Signal>> = { memory: 'memory.available', 'ephemeral-storage': 'nodefs.available' };

/** What of the capacity pods may ask for. */
export const allocatableOf = (capacity: Readonly<Record<string, string>>, { reserved, thresholds }: Reservations): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(capacity).map(([name, text]) => {
    const all = parseQuantity(text);
    if (all === undefined) return [name, text];
    const kept = reserved.reduce((sum, amounts) => sum + (parseQuantity(amounts[name] ?? '0')?.nano ?? 0n), 0n);
    const least = thresholds.find(({ signal }) => signal === signalsOf[name])?.least;
    const free = least === undefined ? 0n : 'amount' in least ? BigInt(least.amount) * 1_000_000_000n : BigInt(Math.floor(Number(all.nano / 1_000_000_000n) * least.share)) * 1_000_000_000n;
    const left = all.nano - kept - free;
    return kept + free === 0n ? [name, text] : [name, formatQuantity({ ...all, nano: left > 0n ? left : 0n })];
  }));

/** Devices that somebody else has put into the capacity (`example.com/gpu`): the node keeps them and lets pods ask for them. */
const advertised = ({ capacity = {} }: NodeStatus): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(capacity).filter(([name]) => isExtendedResource(name)));

interface Finding { readonly type: string; readonly holds: boolean; readonly reason: string; readonly message: string }

const findings = ({ pressure, notReady }: NodeStatusInput): readonly Finding[] => {
  const memory = pressure.has('MemoryPressure');
  const disk = pressure.has('DiskPressure');
  return [
    { type: 'MemoryPressure', holds: memory, reason: memory ? 'KubeletHasInsufficientMemory' : 'KubeletHasSufficientMemory', message: memory ? 'the node has little memory left' : 'the node has sufficient memory available' },
    { type: 'DiskPressure', holds: disk, reason: disk ? 'KubeletHasDiskPressure' : 'KubeletHasNoDiskPressure', message: disk ? 'the node has little disk space left' : 'the node has no disk pressure' },
    { type: 'PIDPressure', holds: false, reason: 'KubeletHasSufficientPID', message: 'the node has sufficient PID available' },
    { type: 'Ready', holds: notReady === undefined, reason: notReady === undefined ? 'KubeletReady' : 'KubeletNotReady', message: notReady ?? 'the node agent is posting ready status' },
  ];
};

/** The status to write; times of transitions stay where nothing changed, and conditions of others stay. */
export const nodeStatus = (input: NodeStatusInput, old: NodeStatus): NodeStatus => {
  const { runtime, machine } = input;
  const now = rfc3339(input.nowMs);
  const found = findings(input);
  const capacity = nodeResources(runtime, machine);
  const devices = advertised(old);
  const architecture = goArchitecture(runtime.architecture);
  return {
    ...old,
    capacity: { ...capacity, ...devices },
    allocatable: { ...allocatableOf(capacity, input.reservations), ...devices },
    addresses: [{ type: 'InternalIP', address: input.nodeIp }, { type: 'Hostname', address: input.nodeName }],
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    conditions: [
      ...(old.conditions ?? []).filter(({ type }) => !found.some((one) => one.type === type)),
      ...found.map(({ type, holds, reason, message }): NodeCondition => {
        const status = holds ? 'True' : 'False';
        const before = (old.conditions ?? []).find((condition) => condition.type === type);
        return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now };
      }),
    ],
    ...(input.images === undefined ? {} : { images: input.images.slice(0, mostImages).map(({ names, sizeBytes }) => ({ names: [...names], sizeBytes })) }),
    nodeInfo: {
      architecture, operatingSystem: 'linux', kernelVersion: runtime.kernelVersion, osImage: runtime.operatingSystem,
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`, kubeletVersion: input.version, kubeProxyVersion: input.version,
      machineID: machine.machineId, systemUUID: machine.machineId, bootID: machine.bootId,
    },
  };
};

/** True when only heartbeat times differ: such a status is written seldom. */
export const sayTheSame = (a: NodeStatus, b: NodeStatus): boolean => {
  const still = (status: NodeStatus): string => JSON.stringify({
    ...status, conditions: (status.conditions ?? []).map((condition) => ({ ...condition, lastHeartbeatTime: '' })).sort((x, y) => x.type.localeCompare(y.type)),
  }, sorted);
  return still(a) === still(b);
};

const sorted = (_: string, value: unknown): unknown => (typeof value === 'object' && value !== null && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b))) : value);
