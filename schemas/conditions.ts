/** Conditions of a status. The time of the last transition moves only when the status does. */

export interface AnyCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
}

export const conditionOf = <C extends AnyCondition>(conditions: readonly C[] | undefined, type: string): C | undefined =>
  conditions?.find((condition) => condition.type === type);

/** True when the condition is there and its status is `True`. */
export const isConditionTrue = (conditions: readonly AnyCondition[] | undefined, type: string): boolean =>
  conditionOf(conditions, type)?.status === 'True';

/**
 * The conditions with this one in place of the one of its type, or at the end. `now` (RFC 3339) becomes the time of the
 * transition when the status is another than before. The same array comes back when nothing would change.
 */
export const withCondition = <C extends AnyCondition>(conditions: readonly C[] | undefined, condition: C, now: string): readonly C[] => {
  const all = conditions ?? [];
  const index = all.findIndex((one) => one.type === condition.type);
  const old = all[index];
  const lastTransitionTime = old !== undefined && old.status === condition.status ? old.lastTransitionTime ?? now : now;
  const next: C = { ...condition, lastTransitionTime };
  if (old === undefined) return [...all, next];
  return isSame(old, next) ? all : all.with(index, next);
};

const isSame = (a: object, b: object): boolean => {
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return Object.keys({ ...left, ...right }).every((key) => left[key] === right[key]);
};

export const withoutCondition = <C extends AnyCondition>(conditions: readonly C[] | undefined, type: string): readonly C[] =>
  (conditions ?? []).filter((condition) => condition.type !== type);
