/** Keeps `metadata.managedFields` of everything that is written: who set which fields, and through which write. */
import type { UserInfo } from '../../schemas/api.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { apiVersionOf, type ApiObject } from '../../schemas/kind.ts';
import { ObjectMeta, type ManagedFieldsEntry } from '../../schemas/types/object-meta.ts';
import { check, prune } from '../../schemas/validate.ts';
import { maxManagerLength } from '../../schemas/validation/object-meta.ts';
import { noChange } from '../patch/apply/compare.ts';
import type { FieldSet } from '../patch/apply/field-set.ts';
import { capUpdates, readManagers, timeOf, writeManagers, type Identity, type Manager } from '../patch/apply/managers.ts';
import { afterUpdate } from '../patch/apply/ownership.ts';
import { compareStates, emptyObject } from '../patch/apply/tracked.ts';
import { isObject } from '../patch/json.ts';
import type { ObjectDraft } from './body.ts';
import type { Call } from './call.ts';

const entriesSchema = ObjectMeta.properties!['managedFields']!;

/** Puts the managers into an object that is about to be stored, before the cluster's own rules (admission) change it. */
export type Tracking = (object: ObjectDraft) => void;

/** The name of a writer that gives none: that of the component it is, where it calls from this process. */
const managerOf = ({ name }: UserInfo): string => {
  if (name.startsWith('system:barge:')) return `barge-${name.slice('system:barge:'.length)}`;
  return name.startsWith('system:node:') ? 'barge-agent' : 'unknown';
};

export const writerOf = ({ kind, user, options, request }: Call, operation: Manager['operation']): Identity => ({
  manager: options.fieldManager || managerOf(user), operation, apiVersion: apiVersionOf(kind), subresource: request.subresource ?? '',
});

/** The managers that are known of a stored object. */
export const managersOf = (object: ApiObject): readonly Manager[] => readManagers(object.metadata.managedFields) ?? [];

export const setManagers = (object: ObjectDraft, managers: readonly Manager[]): void => {
  const entries = writeManagers(managers);
  if (entries === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
};

/** Everything in a new object belongs to who creates it, the defaults of its kind included. */
export const trackCreate = (call: Call, nowMs: number): Tracking => (object) => {
  const said = isReset(object.metadata.managedFields) ? undefined : managersSaid(object.metadata.managedFields);
  const comparison = compareStates(call.kind, '', emptyObject(call.kind), object);
  setManagers(object, afterUpdate(said ?? [], writerOf(call, 'Update'), comparison, timeOf(nowMs)));
};

/** The same for a new object whose fields are known. */
export const trackCast = (call: Call, fields: FieldSet, nowMs: number): Tracking => (object) => {
  setManagers(object, [{ ...writerOf(call, 'Update'), time: timeOf(nowMs), fields }]);
};

/** The fields that an update changes become its writer's. An object whose managers were taken away stays without until the next apply. */
export const trackUpdate = (call: Call, current: ApiObject, nowMs: number): Tracking => (object) => {
  const before = managersBefore(call, object, current);
  const comparison = before.length === 0 ? noChange : compareStates(call.kind, call.request.subresource ?? '', current, object);
  setManagers(object, comparison === noChange ? before : capUpdates(afterUpdate(before, writerOf(call, 'Update'), comparison, timeOf(nowMs))));
};

/** One empty entry: the way to take all managers away. */
const isReset = (entries: unknown): boolean => Array.isArray(entries) && entries.length === 1 && isObject(entries[0]) && Object.keys(entries[0]).length === 0;

/** The managers that a body names; undefined where they cannot be read, or are not such as this server writes. */
const managersSaid = (entries: unknown): readonly Manager[] | undefined => {
  const list = prune(entriesSchema, entries ?? []) as readonly ManagedFieldsEntry[];
  if (check({ schema: entriesSchema }, list).length > 0 || list.some(({ manager = '' }) => manager.length > maxManagerLength)) return undefined;
  return readManagers(list);
};

/** The object as its checks see it: managedFields are the server's own and were right when they were made. */
export const withoutManagers = <T extends ApiObject | ObjectDraft>(object: T): T =>
  (object.metadata.managedFields === undefined ? object : { ...object, metadata: { ...object.metadata, managedFields: undefined } });

/**
 * The managers that an update starts from: those that its body names, so that they can be changed by hand; those of the
 * stored object where the body has none or none that can be read, so that clients that know nothing of them do no harm.
 */
const managersBefore = (call: Call, object: ObjectDraft, current: ApiObject): readonly Manager[] => {
  const said = object.metadata.managedFields;
  const stored = current.metadata.managedFields;
  if ((call.request.subresource ?? '') !== '' || said === stored || said === undefined || deepEqual(said, stored)) return managersOf(current);
  if (isReset(said)) return [];
  const read = managersSaid(said);
  return read === undefined || read.length === 0 ? managersOf(current) : read;
};

/** True where entries differ in nothing but their times. */
export const sameButTimes = (a: readonly ManagedFieldsEntry[] | undefined, b: readonly ManagedFieldsEntry[] | undefined): boolean => {
  if (a === b) return true;
  if (a?.length !== b?.length) return false;
  return a!.every((entry, index) => deepEqual({ ...entry, time: undefined }, { ...b![index], time: undefined }));
};
