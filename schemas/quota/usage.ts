/**
 * What each object counts for in quotas, under all names by which quotas can limit it. One table for the server, which
 * counts in the transaction of each write, and for the controller, which counts again.
 */
import type { ApiObject } from '../kind.ts';
import type { PersistentVolumeClaim } from '../kinds/core/persistent-volume-claim.ts';
import type { Pod } from '../kinds/core/pod.ts';
import type { Service } from '../kinds/core/service.ts';
import { isDomainPrefixed } from '../names.ts';
import { limitsWithOverhead, requestsWithOverhead } from '../pod-resources.ts';
import type { Quantity } from '../quantity.ts';
import { readAmounts, units, type ResourceAmounts } from '../resource-amounts.ts';
import { timeMs } from '../timestamps.ts';
import type { ResourceRequirements } from '../types/resources.ts';
import { storageClassOf } from '../volumes/storage-class-of.ts';

/** The kind of an object, as its key in the store names it. */
export interface Collection {
  readonly group: string;
  readonly plural: string;
}

const countName = ({ group, plural }: Collection): string => (group === '' ? `count/${plural}` : `count/${plural}.${group}`);

/** Kinds of the core group that quotas know by their plain name too. */
const plainlyCounted: ReadonlySet<string> = new Set(['services', 'configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas', 'persistentvolumeclaims']);

/** True for names of devices and the like, which have a domain of their own. */
export const isExtendedResource = (name: string): boolean => isDomainPrefixed(name) && !name.includes('kubernetes.io/') && !name.startsWith('requests.');

const baseResources = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** Requests and limits under the names that quotas give them: `cpu` and `requests.cpu`, `limits.cpu`, `requests.example.com/gpu`. */
const quotaNames = (requests: ResourceAmounts, limits: ResourceAmounts): ReadonlyMap<string, Quantity> => {
  const named = new Map<string, Quantity>();
  for (const name of baseResources) {
    const [request, limit] = [requests.get(name), limits.get(name)];
    if (request !== undefined) named.set(name, request).set(`requests.${name}`, request);
    if (limit !== undefined) named.set(`limits.${name}`, limit);
  }
  for (const [name, request] of requests) {
    if (name.startsWith('hugepages-')) named.set(name, request).set(`requests.${name}`, request);
    else if (isExtendedResource(name)) named.set(`requests.${name}`, request);
  }
  return named;
};

/** The quota names for which one container says something itself. */
export const namesOfContainer = (resources: ResourceRequirements | undefined): ReadonlyMap<string, Quantity> =>
  quotaNames(readAmounts(resources?.requests), readAmounts(resources?.limits));

/**
 * When a pod that is being deleted stops to count although it is still there (Unix milliseconds): a node that is lost must
 * not keep its pods' share for ever. Undefined for pods that nobody asked to go.
 */
export const overdueMs = ({ metadata }: Pod): number | undefined => {
  const dueMs = timeMs(metadata.deletionTimestamp);
  return dueMs === undefined || metadata.deletionGracePeriodSeconds === undefined ? undefined : dueMs + metadata.deletionGracePeriodSeconds * 1_000;
};

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

const usageOfPod = (pod: Pod, nowMs: number): ReadonlyMap<string, Quantity> =>
  (hasEnded(pod) || nowMs > (overdueMs(pod) ?? Infinity) ? new Map()
    : new Map([['pods', units(1)], ...quotaNames(requestsWithOverhead(pod.spec), limitsWithOverhead(pod.spec))]));

const usageOfService = ({ spec }: Service): ReadonlyMap<string, Quantity> => {
  const ports = spec.ports ?? [];
  const balanced = spec.type === 'LoadBalancer';
  const open = balanced && spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort = 0 }) => nodePort !== 0).length
    : balanced || spec.type === 'NodePort' ? ports.length : 0;
  return new Map([['services.nodeports', units(open)], ['services.loadbalancers', units(balanced ? 1 : 0)]]);
};

const classSuffix = '.storageclass.storage.k8s.io/';

const larger = (a: Quantity | undefined, b: Quantity | undefined): Quantity | undefined => (a === undefined || (b !== undefined && b.nano > a.nano) ? b : a);

const usageOfClaim = ({ metadata, spec, status }: PersistentVolumeClaim): ReadonlyMap<string, Quantity> => {
  // A claim that is growing takes what has been set aside for it already.
  const storage = larger(readAmounts(spec.resources?.requests).get('storage'), readAmounts(status?.allocatedResources).get('storage'));
  const className = storageClassOf({ metadata, spec });
  const named = new Map<string, Quantity>();
  if (storage !== undefined) named.set('requests.storage', storage);
  if (className === '') return named;
  named.set(`${className}${classSuffix}persistentvolumeclaims`, units(1));
  if (storage !== undefined) named.set(`${className}${classSuffix}requests.storage`, storage);
  return named;
};

const ownUsage = (plural: string, object: ApiObject, nowMs: number): ReadonlyMap<string, Quantity> => {
  switch (plural) {
    case 'pods': return usageOfPod(object as Pod, nowMs);
    case 'services': return usageOfService(object as Service);
    case 'persistentvolumeclaims': return usageOfClaim(object as PersistentVolumeClaim);
    default: return new Map();
  }
};

/** What an object counts for at a time, by the names that quotas know. */
export const usageOf = (collection: Collection, object: ApiObject, nowMs: number): ResourceAmounts => {
  const { group, plural } = collection;
  const counted = new Map([[countName(collection), units(1)]]);
  if (group !== '') return counted;
  if (plainlyCounted.has(plural)) counted.set(plural, units(1));
  for (const [name, amount] of ownUsage(plural, object, nowMs)) counted.set(name, amount);
  return counted;
};

const pods: Collection = { group: '', plural: 'pods' };
const claims: Collection = { group: '', plural: 'persistentvolumeclaims' };

/** The collection whose objects count for a name in a quota; undefined for a name for which nothing counts. */
export const collectionOf = (name: string): Collection | undefined => {
  if (name.startsWith('count/')) {
    const [plural = '', ...group] = name.slice('count/'.length).split('.');
    return { group: group.join('.'), plural };
  }
  if (plainlyCounted.has(name)) return { group: '', plural: name };
  if (name === 'services.nodeports' || name === 'services.loadbalancers') return { group: '', plural: 'services' };
  if (name === 'requests.storage' || name.includes(classSuffix)) return claims;
  const bare = name.replace(/^(requests|limits)\./, '');
  if (name === 'pods' || (baseResources as readonly string[]).includes(bare)) return pods;
  if (/^(requests\.)?hugepages-/.test(name)) return pods;
  return name.startsWith('requests.') && isExtendedResource(bare) ? pods : undefined;
};
