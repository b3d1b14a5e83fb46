/**
 * Who owns what after a write, as pure decisions. An update takes the fields that it changes; whoever owned them loses
 * them. An apply owns exactly what it says; where that changes a field of somebody else it is a conflict, unless the
 * value is the same, which makes two owners. Fields that are gone belong to nobody.
 */
import { changedFields, type Comparison } from './compare.ts';
import { difference, intersection, union, type FieldSet } from './field-set.ts';
import { isSame, owning, type Identity, type Manager } from './managers.ts';

/** A field that an apply would change and that another manager owns. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

/** All that anybody owns. */
export const allOwned = (managers: readonly Manager[]): FieldSet | undefined =>
  managers.reduce<FieldSet | undefined>((all, { fields }) => union(all, fields), undefined);

/** The managers without fields that were changed by somebody else or are gone. */
const withoutLost = (managers: readonly Manager[], comparison: Comparison, keeps: (manager: Manager) => boolean): readonly Manager[] => {
  const changed = changedFields(comparison);
  return managers.flatMap((manager) => {
    const left = difference(keeps(manager) ? manager.fields : difference(manager.fields, changed), comparison.removed);
    return owning(manager, left) ?? [];
  });
};

/** Managers after an update that changed what the comparison says. */
export const afterUpdate = (managers: readonly Manager[], who: Identity, comparison: Comparison, time: string): readonly Manager[] => {
  const taken = changedFields(comparison);
  const others = withoutLost(managers, comparison, (manager) => isSame(manager, who));
  if (taken === undefined) return others;
  const before = others.find((manager) => isSame(manager, who));
  return [...others.filter((manager) => manager !== before), { ...who, time, fields: union(before?.fields, taken)! }];
};

export const lastApplied = (managers: readonly Manager[], who: Identity): Manager | undefined => managers.find((manager) => isSame(manager, who));

/** Fields of others that an apply would change to another value. */
export const conflictsOf = (managers: readonly Manager[], who: Identity, comparison: Comparison): readonly Conflict[] => {
  const changed = changedFields(comparison);
  return managers.flatMap((manager) => {
    const fields = isSame(manager, who) ? undefined : intersection(manager.fields, changed);
    return fields === undefined ? [] : [{ manager, fields }];
  });
};

/** Managers after an apply of these fields that changed what the comparison says; whoever was in conflict loses. */
export const afterApply = (managers: readonly Manager[], who: Identity, applied: FieldSet | undefined, comparison: Comparison, time: string): readonly Manager[] => {
  const others = withoutLost(managers.filter((manager) => !isSame(manager, who)), comparison, () => false);
  return applied === undefined ? others : [...others, { ...who, time, fields: applied }];
};
