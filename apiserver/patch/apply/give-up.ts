import type { JsonObject } from '../json.ts';
import { below, elementsOf, isMember, type FieldSet } from './field-set.ts';
import type { Shape } from './shape.ts';

/**
 * The merged value without what a manager applied before and nobody owns any more. `before` is what it applied then,
 * `owned` all that anyone owns now, what it applies now included. A list item or a map member goes as a whole once
 * nobody owns the item itself; objects and lists that lost all they had go too, unless somebody owns them as such.
 */
export const giveUp = (shape: Shape, value: unknown, before: FieldSet | undefined, owned: FieldSet | undefined): unknown => {
  if (before === undefined || value === undefined || value === null) return value;
  const form = shape.form(value);
  if (form === 'map') return lessMembers(shape, value as JsonObject, before, owned);
  return form === 'leaf' ? value : lessItems(shape, value as readonly unknown[], before, owned);
};

/** Objects that the schema names count as owned by whoever owns something in them. */
const has = (set: FieldSet | undefined, element: string, declared: boolean): boolean => {
  const node = below(set, element);
  return node !== undefined && (declared || isMember(node));
};

const lessMembers = (shape: Shape, value: JsonObject, before: FieldSet, owned: FieldSet | undefined): unknown => {
  let out: Record<string, unknown> | undefined;
  for (const element of elementsOf(before)) {
    const name = element.slice(2);
    if (!element.startsWith('f:') || !Object.hasOwn(value, name)) continue;
    const { shape: member, declared } = shape.field(name);
    const given = has(before, element, declared) && !has(owned, element, declared);
    const left = given ? undefined : giveUp(member, value[name], below(before, element), below(owned, element));
    if (left === value[name]) continue;
    out ??= { ...value };
    if (left === undefined) delete out[name];
    else out[name] = left;
  }
  if (out === undefined) return value;
  return Object.keys(out).length === 0 && !isMember(owned) ? undefined : out;
};

const lessItems = (shape: Shape, value: readonly unknown[], before: FieldSet, owned: FieldSet | undefined): unknown => {
  let changed = false;
  const out: unknown[] = [];
  for (const item of value) {
    const element = shape.elementOf(item);
    if (has(before, element, false) && !has(owned, element, false)) {
      changed = true;
      continue;
    }
    const left = shape.keyed ? giveUp(shape.items, item, below(before, element), below(owned, element)) : item;
    changed ||= left !== item;
    if (left !== undefined) out.push(left);
  }
  if (!changed) return value;
  return out.length === 0 && !isMember(owned) ? undefined : out;
};
