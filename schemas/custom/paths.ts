/** JSON paths that name one field: `.spec.replicas`. They have no lists, filters or quotes. */
import type { CustomSchema } from './custom-schema.ts';

const simple = /^(\.[A-Za-z_$][-\w$/]*)+$/;

/** The names of the fields on the way, or undefined for a path of another form. */
export const simplePath = (path: string): readonly string[] | undefined => (simple.test(path) ? path.slice(1).split('.') : undefined);

/** The value at the end of a path, or undefined. */
export const valueAt = (object: unknown, names: readonly string[]): unknown =>
  names.reduce<unknown>((value, name) => (typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined), object);

/** The schema of the value at the end of a path; undefined where the schema says nothing of it. */
export const schemaAt = (schema: CustomSchema, names: readonly string[]): CustomSchema | undefined =>
  names.reduce<CustomSchema | undefined>((at, name) => (at?.properties !== undefined && Object.hasOwn(at.properties, name) ? at.properties[name] : undefined), schema);
