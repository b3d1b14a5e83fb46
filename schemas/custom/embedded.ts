/** Rules for objects of the API that stand within a custom object (x-kubernetes-embedded-resource). */
import { required, wrong, type FieldError } from '../errors.ts';
import { whyNotDns1035Label, whyNotPathSegment } from '../names.ts';
import { check } from '../check.ts';
import { joinPath } from '../field-path.ts';
import { ObjectMeta } from '../types/object-meta.ts';
import { validateObjectMeta } from '../validation/object-meta.ts';
import type { CustomSchema } from './custom-schema.ts';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const known = new WeakMap<CustomSchema, boolean>();

/** Whether objects of the schema can hold others. */
const holdsEmbedded = (schema: CustomSchema): boolean => {
  let answer = known.get(schema);
  if (answer === undefined) {
    answer = schema['x-kubernetes-embedded-resource'] === true || Object.values(schema.properties ?? {}).some(holdsEmbedded)
      || (schema.items !== undefined && holdsEmbedded(schema.items)) || (schema.additionalProperties !== undefined && holdsEmbedded(schema.additionalProperties));
    known.set(schema, answer);
  }
  return answer;
};

const wordErrors = (value: unknown, field: string): readonly FieldError[] => {
  if (value === undefined) return [required(field, 'must not be empty')];
  if (typeof value !== 'string') return [wrong(field, value, 'must be a string')];
  return value === '' ? [required(field, 'must not be empty')] : [];
};

const objectErrors = (value: Members, field: string): readonly FieldError[] => {
  const { apiVersion, kind, metadata } = value;
  const errors = [...wordErrors(apiVersion, `${field}.apiVersion`), ...wordErrors(kind, `${field}.kind`)];
  if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2) errors.push(wrong(`${field}.apiVersion`, apiVersion, 'must be a version or a group and a version (for example v1 or apps/v1)'));
  if (typeof kind === 'string' && kind !== '') {
    const why = whyNotDns1035Label(kind.toLowerCase());
    if (why !== undefined) errors.push(wrong(`${field}.kind`, kind, why));
  }
  if (metadata === undefined) return errors;
  const inside = (found: readonly FieldError[], place: (at: string) => string): readonly FieldError[] => found.map((error) => ({ ...error, field: place(error.field) }));
  const shape = inside(check({ schema: ObjectMeta }, metadata), (at) => joinPath(`${field}.metadata`, at));
  if (shape.length > 0 || !isObject(metadata)) return [...errors, ...shape];
  const meta = metadata as ObjectMeta;
  // It need not have a name, and may stand in a namespace or not.
  return [...errors, ...inside(validateObjectMeta({ ...meta, name: meta.name || 'embedded' }, { namespaced: (meta.namespace ?? '') !== '', nameRule: whyNotPathSegment }), (at) => `${field}.${at}`)];
};

/** Every wrong field of the objects that a value holds. */
export const embeddedErrors = (schema: CustomSchema, value: unknown, field = ''): readonly FieldError[] => {
  if (!holdsEmbedded(schema)) return [];
  if (Array.isArray(value)) return value.flatMap((one: unknown, index) => embeddedErrors(schema.items ?? {}, one, `${field}[${index}]`));
  if (!isObject(value)) return [];
  const { properties = {}, additionalProperties: values } = schema;
  return [
    ...(schema['x-kubernetes-embedded-resource'] === true ? objectErrors(value, field) : []),
    ...Object.entries(value).flatMap(([name, one]) => (Object.hasOwn(properties, name) ? embeddedErrors(properties[name]!, one, joinPath(field, name))
      : values === undefined ? [] : embeddedErrors(values, one, `${field}[${name}]`))),
  ];
};
