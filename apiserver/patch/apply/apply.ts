/**
 * What an apply makes of an object, as a pure decision: what is applied is merged in, what its manager applied before
 * and nobody owns any more goes, and whoever owned something that changes is in conflict, or loses it by force.
 */
import { deepEqual } from '../../../schemas/frozen.ts';
import { apiVersionOf, type AnyKind, type ApiObject } from '../../../schemas/kind.ts';
import { noChange } from './compare.ts';
import { conflictError } from './conflict-error.ts';
import { union, type FieldSet } from './field-set.ts';
import { appliedFields } from './fields-of.ts';
import { giveUp } from './give-up.ts';
import { afterTakeover, keptUpAnnotation, kubectlApplier, lastAppliedAnnotation } from './kubectl-migration.ts';
import { capUpdates, isSame, readManagers, type Identity, type Manager } from './managers.ts';
import { merge } from './merge.ts';
import { afterApply, afterUpdate, allOwned, conflictsOf, lastApplied } from './ownership.ts';
import { shapeOf } from './shape.ts';
import { compareStates, emptyObject, ownable } from './tracked.ts';

/** Who set the fields of an object that nobody has been known of, up to its first apply. */
const beforeFirstApply = 'before-first-apply';

/** A configuration that may be applied. */
export interface Configuration {
  /** In the stored form of its kind, without defaults. */
  readonly object: ApiObject;
  /** As the client sent it. */
  readonly said: Readonly<Record<string, unknown>>;
}

/** Who applies what, and how. */
export interface Applying {
  readonly kind: AnyKind;
  readonly who: Identity;
  readonly configuration: Configuration;
  /** Takes over what others own. */
  readonly force: boolean;
  /** RFC 3339. */
  readonly time: string;
}

export interface Applied {
  /** Before defaults. */
  readonly object: ApiObject;
  readonly managers: readonly Manager[];
}

/** The fields that a configuration says and that its manager owns once it is applied. */
const fieldsSaid = ({ kind, who, configuration }: Applying): FieldSet | undefined =>
  ownable(kind, who.subresource, appliedFields(shapeOf(kind.schema), configuration.object));

/** Who owns the fields of an object that an apply creates. */
export const newManagers = (applying: Applying): readonly Manager[] => afterApply([], applying.who, fieldsSaid(applying), noChange, applying.time);

/** The object as it stands after an apply, and who owns it then. Throws Conflict. */
export const applyTo = (current: ApiObject, applying: Applying): Applied => {
  const { kind, who, configuration, force, time } = applying;
  const shape = shapeOf(kind.schema);
  const managers = knownManagers(kind, current, time);
  const fields = fieldsSaid(applying);
  const others = managers.filter((manager) => !isSame(manager, who));

  const merged = merge(shape, current, configuration.object);
  const object = giveUp(shape, merged, lastApplied(managers, who)?.fields, union(allOwned(others), fields)) as ApiObject;
  const comparison = compareStates(kind, who.subresource, current, object);
  if (!force) {
    const conflicts = conflictsOf(managers, who, comparison);
    const left = who.manager === kubectlApplier ? afterTakeover(kind, current, conflicts) : conflicts;
    if (left.length > 0) throw conflictError(left);
  }
  const after = afterApply(managers, who, fields, comparison, time);
  const upToDate = withAnnotation(object, keptUpAnnotation(who.manager, current, configuration.said));
  // An apply that changes nothing is not even noted.
  return { object: upToDate, managers: deepEqual(upToDate, current) && sameOwners(managers, after) ? managers : capUpdates(after) };
};

/** The managers of an object; where none are known, all that it has counts as set before. */
const knownManagers = (kind: AnyKind, current: ApiObject, time: string): readonly Manager[] => {
  const known = readManagers(current.metadata.managedFields) ?? [];
  if (known.length > 0) return known;
  const nobody = { manager: beforeFirstApply, operation: 'Update', apiVersion: apiVersionOf(kind), subresource: '' } as const;
  return afterUpdate([], nobody, compareStates(kind, '', emptyObject(kind), current), time);
};

const sameOwners = (before: readonly Manager[], after: readonly Manager[]): boolean =>
  before.length === after.length && before.every((manager) => after.some((other) => isSame(manager, other) && deepEqual(manager.fields, other.fields)));

/** Most bytes of all annotations of an object; a last configuration that is larger is not kept. */
const maxAnnotationBytes = 256 * 1024;

const withAnnotation = (object: ApiObject, text: string | undefined): ApiObject => {
  if (text === undefined) return object;
  const { [lastAppliedAnnotation]: _, ...others } = object.metadata.annotations ?? {};
  const size = Object.entries(others).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), Buffer.byteLength(text));
  const annotations = size > maxAnnotationBytes ? others : { ...object.metadata.annotations, [lastAppliedAnnotation]: text };
  return { ...object, metadata: { ...object.metadata, annotations } };
};
