/** Which pods go when a node is short of something, which may not come, and what they are told. Pure; the kubelet's rules. */
import { podLimits, podRequests } from '../../schemas/pod-resources.ts';
import { formatQuantity, memoryBytes, quantityOfBytes, wholeUnits, type Quantity } from '../../schemas/quantity.ts';
import { toleratedBy } from '../../schemas/tolerations.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { appContainers, evictionGraceSeconds as graceSeconds, initContainers, type Verdict } from '../pod-view.ts';
import { qosClass } from '../qos.ts';
import { resourceOf, type MetThreshold, type PressureCondition, type ShortResource } from './thresholds.ts';

/** Priorities from here on are the system's own. */
const criticalPriority = 2_000_000_000;

/** Pods without which the node or the cluster does not work: never evicted, always admitted. */
export const isCritical = ({ spec }: Pod): boolean => (spec?.priority ?? 0) >= criticalPriority;

/** What a pod has of the resource that is short. */
export interface PodUsage {
  readonly pod: Pod;
  /** Undefined while it could not be measured. */
  readonly used: number | undefined;
  /** By container; of inodes none is known. */
  readonly containers: ReadonlyMap<string, number>;
}

const requestOf = (pod: Pod, resource: ShortResource): number => {
  const requested = pod.spec === undefined ? undefined : podRequests(pod.spec).get(resource);
  return requested === undefined ? 0 : wholeOf(requested);
};

const wholeOf = (quantity: Quantity): number => wholeUnits(formatQuantity(quantity));

/** Those first that have more than they asked for, then those of less priority, then those that have most above what they asked for. */
export const evictionOrder = (usages: readonly PodUsage[], resource: ShortResource): readonly PodUsage[] => {
  const ranked = usages.filter(({ pod }) => !isCritical(pod)).map((usage) => {
    const request = requestOf(usage.pod, resource);
    // What cannot be measured may be anything.
    return { usage, above: usage.used === undefined ? Infinity : usage.used - request, priority: usage.pod.spec?.priority ?? 0 };
  });
  return ranked.toSorted((a, b) => Number(b.above > 0) - Number(a.above > 0) || a.priority - b.priority || (a.above === b.above ? 0 : b.above > a.above ? 1 : -1)).map(({ usage }) => usage);
};

const quantityText = (resource: ShortResource, amount: number): string => (resource === 'inodes' ? String(amount) : quantityOfBytes(amount));

/** Why a pod goes from a node that is short of something. */
export const evictedFor = ({ signal, least, available }: MetThreshold, { pod, containers }: PodUsage): Verdict => {
  const resource = resourceOf(signal);
  const larger = [...appContainers(pod), ...initContainers(pod)].flatMap(({ name, resources }) => {
    const used = containers.get(name);
    const request = resources?.requests?.[resource] ?? '0';
    return used === undefined || used <= wholeUnits(request) ? [] : [`Container ${name} was using ${quantityText(resource, used)}, request is ${request}, has larger consumption of ${resource}. `];
  });
  const message = `The node was low on resource: ${resource}. Threshold quantity: ${quantityText(resource, least)}, available: ${quantityText(resource, available)}. ${larger.join('')}`;
  return { reason: 'Evicted', message, graceSeconds, disruption: message };
};

const memoryPressureTaint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' } as const;

/** Why a pod that was bound to a node may not begin there; undefined where it may. */
export const refusalUnder = (conditions: ReadonlySet<PressureCondition>, pod: Pod): Verdict | undefined => {
  if (conditions.size === 0 || isCritical(pod)) return undefined;
  const onlyMemory = conditions.size === 1 && conditions.has('MemoryPressure');
  if (onlyMemory && (qosClass(pod) !== 'BestEffort' || toleratedBy(pod.spec?.tolerations ?? [], memoryPressureTaint))) return undefined;
  return { reason: 'Evicted', message: `Pod was rejected: The node had condition: [${[...conditions].join(' ')}]. ` };
};

/** What a pod has on the node's disks, in bytes. */
export interface PodStorage {
  /** emptyDir volumes on disk, by name. */
  readonly volumes: ReadonlyMap<string, { readonly bytes: number; readonly inodes: number }>;
  /** What containers wrote beside volumes, by name. */
  readonly written: ReadonlyMap<string, number>;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0);

const volumeBytes = ({ volumes }: PodStorage): number => sum([...volumes.values()].map(({ bytes }) => bytes));

/** The volumes that are on disk and of which a pod may be asked how large they are. */
export const emptyDirsOnDisk = ({ spec }: Pod): readonly string[] => (spec?.volumes ?? []).filter(({ emptyDir }) => emptyDir !== undefined && (emptyDir.medium ?? '') === '').map(({ name }) => name);

/** True for a pod that says how much of the disk it may have at most. */
export const hasStorageLimit = (pod: Pod): boolean => pod.spec !== undefined && (podLimits(pod.spec).has('ephemeral-storage')
  || (pod.spec.volumes ?? []).some(({ name, emptyDir }) => memoryBytes(emptyDir?.sizeLimit) > 0 && emptyDirsOnDisk(pod).includes(name)));

/** Why a pod that has more of the disk than it may goes; undefined where it has not. */
export const overStorageLimit = (pod: Pod, storage: PodStorage): Verdict | undefined => {
  if (isCritical(pod) || pod.spec === undefined) return undefined;
  const evicted = (message: string): Verdict => ({ reason: 'Evicted', message, graceSeconds });
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit !== undefined && memoryBytes(limit) > 0 && (storage.volumes.get(name)?.bytes ?? 0) > memoryBytes(limit)) return evicted(`Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `);
  }
  const whole = podLimits(pod.spec).get('ephemeral-storage');
  if (whole !== undefined && volumeBytes(storage) + sum(storage.written.values()) > wholeOf(whole)) return evicted(`Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(whole)}. `);
  for (const { name, resources } of appContainers(pod)) {
    const limit = resources?.limits?.['ephemeral-storage'];
    if (limit !== undefined && memoryBytes(limit) > 0 && (storage.written.get(name) ?? 0) > memoryBytes(limit)) return evicted(`Container ${name} exceeded its local ephemeral storage limit "${limit}". `);
  }
  return undefined;
};

/** How much a pod has on the disk that is short: of one for images and containers, what containers wrote; of one for volumes, those. */
export const diskUsage = (pod: Pod, storage: PodStorage | undefined, { signal, oneDisk }: { readonly signal: MetThreshold['signal']; readonly oneDisk: boolean }): PodUsage => {
  if (storage === undefined) return { pod, used: undefined, containers: new Map() };
  const ofNode = oneDisk || signal.startsWith('nodefs');
  const ofImages = oneDisk || signal.startsWith('imagefs');
  if (resourceOf(signal) === 'inodes') return { pod, used: ofNode ? sum([...storage.volumes.values()].map(({ inodes }) => inodes)) : 0, containers: new Map() };
  return { pod, used: (ofNode ? volumeBytes(storage) : 0) + (ofImages ? sum(storage.written.values()) : 0), containers: storage.written };
};
