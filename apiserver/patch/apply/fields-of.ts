import type { JsonObject } from '../json.ts';
import { asMember, leaf, nodeOf, type FieldSet } from './field-set.ts';
import { byElement, type Shape } from './shape.ts';

/**
 * The fields of a value that somebody applies: its leaves, the items of its lists and the members of its maps. An object
 * that the schema names belongs to nobody; only what is in it does.
 */
export const appliedFields = (shape: Shape, value: unknown): FieldSet | undefined => fields(shape, value, false);

/** The fields of a value that was not there before: the same, and every object and list on the way. */
export const newFields = (shape: Shape, value: unknown): FieldSet => fields(shape, value, true) ?? leaf;

const fields = (shape: Shape, value: unknown, whole: boolean): FieldSet | undefined => {
  switch (shape.form(value)) {
    case 'leaf':
      return leaf;
    case 'map': {
      const body = value as JsonObject;
      const children: (readonly [string, FieldSet])[] = [];
      let empty = true;
      for (const name of Object.keys(body).sort()) {
        const member = body[name];
        if (member === undefined || member === null) continue;
        empty = false;
        const field = shape.field(name);
        const child = fields(field.shape, member, whole);
        if (child !== undefined) children.push([field.element, field.declared ? child : asMember(child)]);
        else if (!field.declared) children.push([field.element, leaf]);
      }
      return empty ? leaf : nodeOf(whole, children);
    }
    case 'set':
    case 'list': {
      const items = byElement(shape, value as readonly unknown[]);
      const children = [...items.keys()].sort().map((element) => [element, itemFields(shape, items.get(element)!, whole)] as const);
      return nodeOf(whole, children);
    }
  }
};

/** Items that share a key belong together: they are owned as one. */
const itemFields = (shape: Shape, items: readonly unknown[], whole: boolean): FieldSet =>
  (items.length === 1 && shape.keyed ? asMember(fields(shape.items, items[0], whole)) : leaf);
