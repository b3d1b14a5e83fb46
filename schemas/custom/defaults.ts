/**
 * Defaults of custom objects. A member has been left out where it is not there at all, or null where null is no value:
 * such a null goes, as if the client had not said it.
 */
import { draftOf } from '../frozen.ts';
import type { CustomSchema } from './custom-schema.ts';

/** Writes the schema's defaults into the draft, all the way down, items of lists and values of maps included. Doing it twice changes nothing. */
export const applyCustomDefaults = (schema: CustomSchema, draft: unknown): void => {
  if (typeof draft !== 'object' || draft === null) return;
  if (Array.isArray(draft)) fillItems(schema, draft);
  else fillMembers(schema, draft as Record<string, unknown>);
};

const isNoValue = (schema: CustomSchema, value: unknown): boolean => value === null && schema.nullable !== true;

const fillItems = ({ items }: CustomSchema, list: unknown[]): void => {
  if (items === undefined) return;
  for (const [index, one] of list.entries()) {
    if (isNoValue(items, one) && items.default !== undefined) list[index] = draftOf(items.default);
    applyCustomDefaults(items, list[index]);
  }
};

const fillMembers = ({ properties = {}, additionalProperties: values }: CustomSchema, body: Record<string, unknown>): void => {
  for (const [name, schema] of Object.entries(properties)) {
    const isThere = Object.hasOwn(body, name) && body[name] !== undefined;
    if (!isThere || isNoValue(schema, body[name])) {
      if (schema.default !== undefined) body[name] = draftOf(schema.default);
      else if (isThere) delete body[name];
      else continue;
    }
    applyCustomDefaults(schema, body[name]);
  }
  if (values === undefined) return;
  for (const name of Object.keys(body)) {
    if (Object.hasOwn(properties, name)) continue;
    if (isNoValue(values, body[name])) {
      if (values.default === undefined) {
        delete body[name];
        continue;
      }
      body[name] = draftOf(values.default);
    }
    applyCustomDefaults(values, body[name]);
  }
};
