import { isObject, type JsonObject } from '../json.ts';
import { orderLike } from '../element-order.ts';
import { byElement, type Shape } from './shape.ts';

/**
 * The live value with all that is applied put into it: objects and keyed lists merge, sets unite, everything else is
 * replaced. What the applied value does not say stays and is shared with the live one. Applied items come in the order
 * in which they are applied; items that only live stay between their old neighbours.
 */
export const merge = (shape: Shape, live: unknown, applied: unknown): unknown => {
  const form = shape.form(applied);
  if (form === 'leaf' || live === undefined || live === null || shape.form(live) !== form) return applied;
  if (form === 'map') return mergeMaps(shape, live as JsonObject, applied as JsonObject);
  return mergeLists(shape, live as readonly unknown[], applied as readonly unknown[]);
};

const mergeMaps = (shape: Shape, live: JsonObject, applied: JsonObject): JsonObject => {
  const merged: Record<string, unknown> = isObject(live) ? { ...live } : {};
  for (const name of Object.keys(applied)) {
    const value = applied[name];
    if (value === undefined || value === null) continue;
    merged[name] = merge(shape.field(name).shape, Object.hasOwn(live, name) ? live[name] : undefined, value);
  }
  return merged;
};

const mergeLists = (shape: Shape, live: readonly unknown[], applied: readonly unknown[]): readonly unknown[] => {
  const old = byElement(shape, live);
  const now = byElement(shape, applied);
  const merged: unknown[] = [];
  for (const [element, items] of old) {
    const said = now.get(element);
    // Items that doubled a key give way to the one that is applied.
    if (said === undefined) merged.push(...items);
    else merged.push(items.length === 1 && shape.keyed ? merge(shape.items, items[0], said[0]) : said[0]);
  }
  for (const [element, items] of now) if (!old.has(element)) merged.push(items[0]);
  return orderLike(merged, live, applied, applied, (item) => shape.elementOf(item), 'the list');
};
