/**
 * From a body to an object that may be stored: `decode` gives it its shape, `applyDefaults` and the kind's `prepare`
 * fill it in, `validate` lists all that is wrong with it.
 */
import { findings, type Finding } from './check.ts';
import { customFindings } from './custom/check.ts';
import { isAsBefore } from './custom/ratchet.ts';
import type { FieldError } from './errors.ts';
import { isWithin } from './field-path.ts';
import { draftOf } from './frozen.ts';
import type { AnyKind, ApiObject } from './kind.ts';
import type { JsonSchema } from './schema.ts';
import { whyNotDnsSubdomain } from './names.ts';
import { validateCustomFinalizer, validateObjectMeta } from './validation/object-meta.ts';

export { decode, decodeFree, prune, strictDecodingError, unknownField, maxDepth, type BodyKind, type Decoded } from './decode.ts';
export { applyDefaults } from './defaults.ts';
export { check } from './check.ts';

/** What breaks the schema; of a custom object, whose schema may have changed since, only where it is not as it was. */
const findingsOf = (kind: AnyKind, object: ApiObject, old: ApiObject | undefined): readonly Finding[] => {
  if (kind.custom === undefined) return findings(kind.schema, object);
  const found = customFindings(kind.schema, object);
  return old === undefined ? found : found.filter(({ pointer }) => !isAsBefore(kind.schema, object, old, pointer));
};

/** What a missing member stands for while the other rules run: the zero value, as in Go. */
const zeroOf = (schema: JsonSchema): unknown => {
  switch (schema.type) {
    case 'array': return [];
    case 'object': {
      const members = (schema.required ?? []).map((name) => [name, zeroOf(schema.properties?.[name] ?? {})] as const);
      return Object.fromEntries(members);
    }
    case 'integer': case 'number': return 0;
    case 'boolean': return false;
    default: return '';
  }
};

const place = (body: Record<string, unknown>, pointer: string, value: unknown): void => {
  const steps = pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop() ?? '';
  let at = body;
  for (const step of steps) at = at[step] as Record<string, unknown>;
  at[last] = value;
};

/**
 * Every wrong field of an object that is about to be created, or updated from `old`: schema, metadata and the kind's
 * own rules. Where a member is missing the kind's rules see a zero value in its place, so that one mistake does not
 * hide the next; what they say of that place, or of a field that the schema refuses already, is left out.
 */
export const validate = (kind: AnyKind, object: ApiObject, old?: ApiObject): readonly FieldError[] => {
  const found = findingsOf(kind, object, old);
  const errors = found.map((finding) => finding.error);
  // The rules of a custom kind trust no shape.
  if (kind.custom === undefined && found.some((finding) => finding.type)) return errors;
  let whole = object;
  const missing = found.flatMap((finding) => finding.missing ?? []);
  if (missing.length > 0 && kind.custom === undefined) {
    const draft = draftOf(object) as unknown as Record<string, unknown>;
    for (const { pointer, schema } of missing) place(draft, pointer, zeroOf(schema));
    whole = draft as unknown as ApiObject;
  }
  const more = [
    ...validateObjectMeta(whole.metadata, { namespaced: kind.scope === 'Namespaced', nameRule: kind.nameRule ?? whyNotDnsSubdomain, finalizerRule: kind.custom === undefined ? undefined : validateCustomFinalizer, old: old?.metadata }),
    ...(kind.validate?.(whole, old) ?? []),
  ];
  const absent = found.filter((finding) => finding.missing !== undefined).map((finding) => finding.error.field);
  const told = new Set(errors.map((error) => error.field));
  const all = [...errors, ...more.filter(({ field }) => !told.has(field) && !absent.some((place) => isWithin(field, place)))];
  return all.length === 0 && kind.rules !== undefined ? kind.rules(object, old) : all;
};

/** Every wrong field of a write to /status: the schema, then the kind's rules for status. */
export const validateStatus = (kind: AnyKind, object: ApiObject, old: ApiObject): readonly FieldError[] => {
  const found = findingsOf(kind, object, old);
  if (found.length > 0) return found.map((finding) => finding.error);
  const errors = [
    ...validateObjectMeta(object.metadata, { namespaced: kind.scope === 'Namespaced', nameRule: kind.nameRule ?? whyNotDnsSubdomain, finalizerRule: kind.custom === undefined ? undefined : validateCustomFinalizer, old: old.metadata }),
    ...(kind.validateStatus?.(object, old) ?? []),
  ];
  return errors.length === 0 && kind.rules !== undefined ? kind.rules(object, old) : errors;
};
