/** How one quota stands: what it counts of an object, what that leaves, and what it all comes to. Pure. */
import type { ApiObject } from '../kind.ts';
import type { Pod } from '../kinds/core/pod.ts';
import type { ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus } from '../kinds/core/resource-quota.ts';
import { formatQuantity } from '../quantity.ts';
import { minus, noAmounts, plus, readAmounts, units, writeAmounts, type ResourceAmounts } from '../resource-amounts.ts';
import { inScopes } from './scopes.ts';
import { collectionOf, namesOfContainer, usageOf, type Collection } from './usage.ts';

/** Names for which every container must speak where a quota limits them: the rule of the first quotas, kept for those who rely on it. */
const everyContainer: ReadonlySet<string> = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

const idOf = ({ group, plural }: Collection): string => `${group}/${plural}`;

/** Names by collection, worked out once for each stored spec. */
const sorted = new WeakMap<ResourceQuotaSpec, ReadonlyMap<string, readonly string[]>>();

const sortNames = ({ hard = {} }: ResourceQuotaSpec): ReadonlyMap<string, readonly string[]> => {
  const names = Object.keys(hard).map((name) => ({ name, collection: collectionOf(name) }));
  return new Map([...Map.groupBy(names, ({ collection }) => (collection === undefined ? '' : idOf(collection)))].map(([id, group]) => [id, group.map(({ name }) => name)]));
};

/** The names in a quota for which objects of a collection count. */
export const namesFor = (spec: ResourceQuotaSpec, collection: Collection): readonly string[] => {
  let known = sorted.get(spec);
  if (known === undefined) sorted.set(spec, known = sortNames(spec));
  return known.get(idOf(collection)) ?? [];
};

/** What a quota counts of an object: nothing where it is out of its scopes (or not there), else amounts of those that it limits. */
export const countedBy = (spec: ResourceQuotaSpec, collection: Collection, object: ApiObject | undefined, nowMs: number): ResourceAmounts => {
  if (object === undefined) return noAmounts;
  const names = namesFor(spec, collection);
  if (names.length === 0 || !inScopes(spec, collection.plural, object)) return noAmounts;
  const usage = usageOf(collection, object, nowMs);
  return new Map(names.flatMap((name) => {
    const amount = usage.get(name);
    return amount === undefined ? [] : [[name, amount] as const];
  }));
};

/** Why a new pod does not say enough to be counted by a quota: `must specify limits.cpu for: a,b; ...`. */
export const whyNotCountable = (spec: ResourceQuotaSpec, { spec: pod }: Pod): string | undefined => {
  const wanted = Object.keys(spec.hard ?? {}).filter((name) => everyContainer.has(name)).sort();
  const missing = wanted.flatMap((name) => {
    const silent = [...pod.containers, ...(pod.initContainers ?? [])].filter(({ resources }) => !namesOfContainer(resources).has(name)).map((container) => container.name);
    return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].sort().join(',')}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join('; ')}`;
};

const told = (amounts: ResourceAmounts, names: readonly string[]): string =>
  names.map((name) => `${name}=${formatQuantity(amounts.get(name) ?? units(0))}`).join(',');

/** What became of an account: its new state, nothing (undefined), or why the change cannot be. */
export type Entry = { readonly used: Record<string, string> } | { readonly refused: string } | undefined;

/**
 * Enters into a quota that an object has changed from `before` to `after`. Only what grows is held to the limit, so that
 * somebody who is above it can come down.
 */
export const entered = ({ metadata: { name }, spec = {}, status }: ResourceQuota, collection: Collection, { before, after, nowMs }: {
  readonly before: ApiObject | undefined; readonly after: ApiObject | undefined; readonly nowMs: number;
}): Entry => {
  const change = minus(countedBy(spec, collection, after, nowMs), countedBy(spec, collection, before, nowMs));
  const changed = [...change.keys()].filter((one) => change.get(one)!.nano !== 0n).sort();
  if (changed.length === 0) return undefined;
  const used = readAmounts(status?.used);
  const unknown = changed.filter((one) => !used.has(one));
  const growing = changed.filter((one) => change.get(one)!.nano > 0n);
  if (unknown.length > 0) return growing.length === 0 ? undefined : { refused: `status unknown for quota: ${name ?? ''}, resources: ${unknown.join(',')}` };
  const next = plus(used, change);
  const hard = readAmounts(spec.hard);
  const exceeded = growing.filter((one) => next.get(one)!.nano > hard.get(one)!.nano);
  if (exceeded.length > 0) {
    return { refused: `exceeded quota: ${name ?? ''}, requested: ${told(change, exceeded)}, used: ${told(used, exceeded)}, limited: ${told(hard, exceeded)}` };
  }
  return { used: writeAmounts(new Map([...next].map(([one, amount]) => [one, amount.nano < 0n ? units(0) : amount]))) };
};

/** The collections that must be counted to know how a quota stands. */
export const collectionsOf = ({ hard = {} }: ResourceQuotaSpec): readonly Collection[] => {
  const found = Object.keys(hard).map(collectionOf).filter((collection) => collection !== undefined);
  return [...new Map(found.map((collection) => [idOf(collection), collection])).values()];
};

/** The status that a quota should have, counted anew from the objects of its namespace. */
export const recounted = (spec: ResourceQuotaSpec, objectsOf: (collection: Collection) => Iterable<ApiObject>, nowMs: number): ResourceQuotaStatus => {
  const hard = spec.hard ?? {};
  let used: ResourceAmounts = new Map(Object.keys(hard).map((name) => [name, units(0)]));
  for (const collection of collectionsOf(spec)) for (const object of objectsOf(collection)) used = plus(used, countedBy(spec, collection, object, nowMs));
  return { hard: { ...hard }, used: writeAmounts(used) };
};
