/** Who owns which fields of an object: `metadata.managedFields` as data to work with, and back. */
import { rfc3339 } from '../../../base/clock.ts';
import type { ManagedFieldsEntry } from '../../../schemas/types/object-meta.ts';
import { readFieldSet, union, type FieldSet } from './field-set.ts';
import { shared } from './shared-fields.ts';

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** When what it owns last changed; RFC 3339. */
  readonly time: string | undefined;
  /** Never empty: a manager that owns nothing is none. */
  readonly fields: FieldSet;
  /** The entry that this was read from, as long as nothing has changed. */
  readonly entry?: ManagedFieldsEntry | undefined;
}

/** What tells managers from each other. Whoever applies is the same in every version. */
export type Identity = Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

export const isSame = (a: Identity, b: Identity): boolean =>
  a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource && (a.operation === 'Apply' || a.apiVersion === b.apiVersion);

/** Reads entries. Undefined when one of them is none that this server could have written. */
export const readManagers = (entries: readonly ManagedFieldsEntry[] | undefined): readonly Manager[] | undefined => {
  const managers: Manager[] = [];
  for (const entry of entries ?? []) {
    const { operation, fieldsType } = entry;
    if ((operation !== 'Apply' && operation !== 'Update') || (fieldsType ?? '') !== 'FieldsV1') return undefined;
    // A set of our own is frozen and needs no check.
    const fields = Object.isFrozen(entry) ? entry.fieldsV1 as FieldSet | undefined : readFieldSet(entry.fieldsV1 ?? {});
    if (fields === false) return undefined;
    if (fields === undefined) continue;
    const found: Manager = { manager: entry.manager ?? '', operation, apiVersion: entry.apiVersion ?? '', subresource: entry.subresource ?? '', time: entry.time, fields, entry };
    const at = managers.findIndex((one) => isSame(one, found));
    if (at < 0) managers.push(found);
    else managers[at] = { ...managers[at]!, fields: union(managers[at]!.fields, fields)!, entry: undefined };
  }
  return managers;
};

/** The manager with other fields; undefined when nothing is left. */
export const owning = (manager: Manager, fields: FieldSet | undefined): Manager | undefined => {
  if (fields === undefined) return undefined;
  return fields === manager.fields ? manager : { ...manager, fields, entry: undefined };
};

const words = ({ operation, time = '', manager, apiVersion, subresource }: Manager): readonly string[] => [operation, time, manager, apiVersion, subresource];

const inOrder = (a: Manager, b: Manager): number => {
  const left = words(a);
  const right = words(b);
  for (const [index, word] of left.entries()) if (word !== right[index]) return word < right[index]! ? -1 : 1;
  return 0;
};

/** The entries as they are stored: those of apply first, then by age. Undefined when there are none. */
export const writeManagers = (managers: readonly Manager[]): ManagedFieldsEntry[] | undefined => {
  if (managers.length === 0) return undefined;
  const sorted = managers.length === 1 ? managers : [...managers].sort(inOrder);
  return sorted.map((manager) => manager.entry ?? entryOf(manager));
};

const entryOf = ({ manager, operation, apiVersion, time, fields, subresource }: Manager): ManagedFieldsEntry => ({
  manager, operation, apiVersion, ...(time === undefined ? {} : { time }), fieldsType: 'FieldsV1', fieldsV1: shared(fields), ...(subresource === '' ? {} : { subresource }),
});

export const timeOf = (nowMs: number): string => rfc3339(nowMs);

/** Managers of updates that are kept apart, as in Kubernetes. */
export const maxUpdateManagers = 10;

/** The name under which the oldest updates are kept together. */
export const ancientChanges = 'ancient-changes';

/** Puts the oldest managers of updates together, version by version, until no more than `maxUpdateManagers` are left. */
export const capUpdates = (managers: readonly Manager[]): readonly Manager[] => {
  const updaters = managers.filter(({ operation }) => operation === 'Update');
  if (updaters.length <= maxUpdateManagers) return managers;
  let left = updaters.length;
  const kept = new Set(managers);
  const buckets = new Map<string, Manager>();
  for (const manager of updaters.sort(inOrder)) {
    if (left <= maxUpdateManagers) break;
    const bucket = buckets.get(manager.apiVersion);
    if (bucket === undefined) {
      buckets.set(manager.apiVersion, manager);
      continue;
    }
    const joined: Manager = { ...bucket, manager: ancientChanges, subresource: '', time: manager.time, fields: union(bucket.fields, manager.fields)!, entry: undefined };
    kept.delete(bucket);
    kept.delete(manager);
    kept.add(joined);
    buckets.set(manager.apiVersion, joined);
    left--;
  }
  return [...kept];
};
