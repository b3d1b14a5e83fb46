/** Objects as they would be stored, and what is wrong with them in short words. */
import test from 'ava';
import type { FieldError } from '../../schemas/errors.ts';
import { apiVersionOf, type AnyKind, type ApiObject } from '../../schemas/kind.ts';
import { applyDefaults, decode, validate, validateStatus } from '../../schemas/validate.ts';

export type Json = Record<string, unknown>;

/** The body as an object of the kind: named, decoded, with defaults, prepared; with what the server generates when it is new. */
export const stored = (kind: AnyKind, body: object, old?: ApiObject): ApiObject => {
  const metadata = { name: 'x', ...(kind.scope === 'Namespaced' ? { namespace: 'ns' } : {}), ...(body as { metadata?: object }).metadata };
  const { object } = decode<ApiObject>(kind, { ...body, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata });
  applyDefaults(kind.schema, object);
  kind.prepare?.(object as never, old);
  if (old === undefined) kind.generate?.(object as never);
  return object as ApiObject;
};

const reasons = { required: 'FieldValueRequired', invalid: 'FieldValueInvalid', unsupported: 'FieldValueNotSupported', duplicate: 'FieldValueDuplicate', forbidden: 'FieldValueForbidden', absent: 'FieldValueNotFound', long: 'FieldValueTooLong', many: 'FieldValueTooMany', type: 'FieldValueTypeInvalid' } as const;

const wordOf: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(reasons).map(([word, reason]) => [reason, word]));

const told = (errors: readonly FieldError[]): readonly string[] => errors.map((error) => `${wordOf[error.reason] ?? error.reason} ${error.field}`).sort();

/** `invalid spec.replicas`, sorted: what is wrong with the object. */
export const faults = (kind: AnyKind, body: object, old?: object): readonly string[] => {
  const before = old === undefined ? undefined : stored(kind, old);
  return told(validate(kind, stored(kind, body, before), before));
};

/** What is wrong with a status that is written to the object, whose own status is `before`. */
export const statusFaults = (kind: AnyKind, body: object, status: object, before?: object): readonly string[] => {
  const old = stored(kind, { ...body, ...(before === undefined ? {} : { status: before }) });
  return told(validateStatus(kind, stored(kind, { ...body, status }, old), old));
};

export type Fault = `${keyof typeof reasons} ${string}`;

/** Spoilt objects by what is the matter with them, each with all its faults. */
export type Cases = Readonly<Record<string, readonly [spoilt: Json, ...Fault[]]>>;

/** A test for each case; with `old` they are updates of it. */
export const testFaults = (kind: AnyKind, cases: Cases, old?: Json): void => {
  for (const [name, [body, ...wanted]] of Object.entries(cases)) {
    test(`${kind.kind}${old === undefined ? '' : ' update'}: ${name}`, (t) => t.deepEqual(faults(kind, body, old), wanted.toSorted()));
  }
};
