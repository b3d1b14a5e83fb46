import { deepEqual } from '../frozen.ts';
import type { CustomSchema } from './custom-schema.ts';

const memberOf = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined);

/** The item of the old list that is the same thing as one of the new list: that with the same keys, where the list has keys. */
const sameItem = (schema: CustomSchema | undefined, item: unknown, old: unknown): unknown => {
  const keys = schema?.['x-kubernetes-list-map-keys'];
  if (schema?.['x-kubernetes-list-type'] !== 'map' || keys === undefined || !Array.isArray(old)) return undefined;
  return old.find((one: unknown) => keys.every((key) => deepEqual(memberOf(one, key), memberOf(item, key))));
};

/**
 * True where the value at a JSON pointer, or something around it, is what it was before: what was wrong with it then does
 * not keep people from changing the rest of the object after its schema has become stricter.
 */
export const isAsBefore = (root: CustomSchema, object: unknown, old: unknown, pointer: string): boolean => {
  let schema: CustomSchema | undefined = root;
  let value = object;
  let before = old;
  for (const step of pointer.split('/').slice(1).map((text) => text.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    if (Array.isArray(value)) {
      const item: unknown = value[Number(step)];
      before = sameItem(schema, item, before);
      value = item;
      schema = schema?.items;
    } else {
      value = memberOf(value, step);
      before = memberOf(before, step);
      schema = schema?.properties !== undefined && Object.hasOwn(schema.properties, step) ? schema.properties[step] : schema?.additionalProperties;
    }
    if (before === undefined) return false;
    if (deepEqual(value, before)) return true;
  }
  return false;
};
