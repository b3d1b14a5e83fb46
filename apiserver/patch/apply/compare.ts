import { deepEqual } from '../../../schemas/frozen.ts';
import type { JsonObject } from '../json.ts';
import { newFields } from './fields-of.ts';
import { difference, leaf, nodeOf, union, type FieldSet } from './field-set.ts';
import { byElement, type Shape } from './shape.ts';

/** How one state of an object differs from another, as sets of fields. */
export interface Comparison {
  readonly added: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
  readonly modified: FieldSet | undefined;
}

export const noChange: Comparison = Object.freeze({ added: undefined, removed: undefined, modified: undefined });

/** Fields that are new or have another value. */
export const changedFields = ({ added, modified }: Comparison): FieldSet | undefined => union(added, modified);

/** Compares two states; `noChange` itself when there is no difference. */
export const compare = (shape: Shape, before: unknown, after: unknown): Comparison => {
  if (before === after) return noChange;
  const absent = before === undefined || before === null;
  if (after === undefined || after === null) return absent ? noChange : { ...noChange, removed: newFields(shape, before) };
  if (absent) return { ...noChange, added: newFields(shape, after) };
  const form = shape.form(after);
  if (form !== shape.form(before)) return { added: inside(shape, after), removed: inside(shape, before), modified: leaf };
  if (form === 'leaf') return deepEqual(before, after) ? noChange : { ...noChange, modified: leaf };
  if (form === 'map') return compareMaps(shape, before as JsonObject, after as JsonObject);
  return compareLists(shape, before as readonly unknown[], after as readonly unknown[]);
};

/** What is in a value, without the value itself. */
const inside = (shape: Shape, value: unknown): FieldSet | undefined => difference(newFields(shape, value), leaf);

type Children = (readonly [string, FieldSet])[];

/** Gathers the differences of children. */
class Gathering {
  #added: Children | undefined;
  #removed: Children | undefined;
  #modified: Children | undefined;

  note(element: string, { added, removed, modified }: Comparison): void {
    if (added !== undefined) (this.#added ??= []).push([element, added]);
    if (removed !== undefined) (this.#removed ??= []).push([element, removed]);
    if (modified !== undefined) (this.#modified ??= []).push([element, modified]);
  }

  result(): Comparison {
    if (this.#added === undefined && this.#removed === undefined && this.#modified === undefined) return noChange;
    return { added: inOrder(this.#added), removed: inOrder(this.#removed), modified: inOrder(this.#modified) };
  }
}

const inOrder = (children: Children | undefined): FieldSet | undefined =>
  (children === undefined ? undefined : nodeOf(false, children.sort(([a], [b]) => (a < b ? -1 : 1))));

const compareMaps = (shape: Shape, before: JsonObject, after: JsonObject): Comparison => {
  const found = new Gathering();
  for (const name of Object.keys(after)) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    const now = after[name];
    if (old === now) continue;
    const { element, shape: member } = shape.field(name);
    const difference = compare(member, old, now);
    if (difference !== noChange) found.note(element, difference);
  }
  for (const name of Object.keys(before)) {
    if (Object.hasOwn(after, name) || before[name] === undefined) continue;
    const { element, shape: member } = shape.field(name);
    found.note(element, compare(member, before[name], undefined));
  }
  return found.result();
};

const compareLists = (shape: Shape, before: readonly unknown[], after: readonly unknown[]): Comparison => {
  // Most lists do not change, and keys cost more than values to compare.
  if (deepEqual(before, after)) return noChange;
  const found = new Gathering();
  const old = byElement(shape, before);
  const now = byElement(shape, after);
  for (const [element, items] of now) found.note(element, compareItems(shape, old.get(element), items));
  for (const [element, items] of old) if (!now.has(element)) found.note(element, compareItems(shape, items, undefined));
  return found.result();
};

/** Items of one key; where several share it they are compared as one. */
const compareItems = (shape: Shape, before: readonly unknown[] | undefined, after: readonly unknown[] | undefined): Comparison => {
  const many = (before?.length ?? 0) > 1 || (after?.length ?? 0) > 1 || !shape.keyed;
  if (!many) return compare(shape.items, before?.[0], after?.[0]);
  if (before === undefined) return { ...noChange, added: leaf };
  if (after === undefined) return { ...noChange, removed: leaf };
  return !shape.keyed || deepEqual(before, after) ? noChange : { ...noChange, modified: leaf };
};
