/** Defaults that a schema can say. Those that depend on other fields are a kind's `prepare`. */
import type { JsonSchema } from './schema.ts';
import { draftOf } from './frozen.ts';

/** Whether anything in a type has a default. Types are static, so this is asked once a type and not once an object. */
const known = new WeakMap<object, boolean>();

const hasDefaults = (schema: JsonSchema): boolean => {
  if (schema.default !== undefined || schema['x-barge-default-object']) return true;
  if (schema.type !== 'object' && schema.type !== 'array') return false;
  const seen = known.get(schema);
  if (seen !== undefined) return seen;
  known.set(schema, false); // a type may hold itself, which adds nothing
  const within = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items]), ...(schema.additionalProperties === undefined ? [] : [schema.additionalProperties])];
  const answer = within.some(hasDefaults);
  known.set(schema, answer);
  return answer;
};

const isUnset = (schema: JsonSchema, value: unknown): boolean =>
  value === undefined || value === null || (value === '' && schema.type === 'string') || (value === 0 && schema['x-barge-zero-is-unset'] === true);

/** What stands in a field that the body left out, or undefined. */
const initial = (schema: JsonSchema): unknown => {
  if (schema.default !== undefined) return draftOf(schema.default);
  if (schema['x-barge-default-object']) return schema.type === 'array' ? [] : {};
  return undefined;
};

/** Properties that have defaults or hold something that does; the others need no visit. */
const worthAVisit = new WeakMap<object, readonly (readonly [string, JsonSchema])[]>();

const propertiesToVisit = (properties: Readonly<Record<string, JsonSchema>>): readonly (readonly [string, JsonSchema])[] => {
  let list = worthAVisit.get(properties);
  if (list === undefined) worthAVisit.set(properties, list = Object.entries(properties).filter(([, schema]) => hasDefaults(schema)));
  return list;
};

/**
 * Writes the schema's defaults into the draft, all the way down and in list items too. An empty string counts as absent
 * where there is a default, as it does for Kubernetes. Doing it twice changes nothing.
 */
export const applyDefaults = (schema: JsonSchema, draft: unknown): void => {
  if (typeof draft === 'object' && draft !== null) fill(schema, draft);
};

const fill = (schema: JsonSchema, draft: object): void => {
  if (Array.isArray(draft)) {
    if (schema.items === undefined || !hasDefaults(schema.items)) return;
    for (const item of draft) if (typeof item === 'object' && item !== null) fill(schema.items, item);
    return;
  }
  const body = draft as Record<string, unknown>;
  if (schema.properties !== undefined) {
    for (const [name, field] of propertiesToVisit(schema.properties)) {
      if (isUnset(field, body[name])) {
        const value = initial(field);
        if (value === undefined) continue;
        body[name] = value;
      }
      const value = body[name];
      if (typeof value === 'object' && value !== null) fill(field, value);
    }
  } else if (schema.additionalProperties !== undefined && hasDefaults(schema.additionalProperties)) {
    for (const value of Object.values(body)) if (typeof value === 'object' && value !== null) fill(schema.additionalProperties, value);
  }
};
