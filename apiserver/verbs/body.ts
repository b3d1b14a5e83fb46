import { badRequest, invalid, type FieldError } from '../../schemas/errors.ts';
import { apiVersionOf, type AnyKind, type ApiObject } from '../../schemas/kind.ts';
import { applyCustomDefaults } from '../../schemas/custom/defaults.ts';
import { decodeCustom } from '../../schemas/custom/decode.ts';
import { deepEqual, type Draft } from '../../schemas/frozen.ts';
import { applyDefaults, decode, strictDecodingError, unknownField, type BodyKind } from '../../schemas/validate.ts';
import { toStoredForm } from '../served-form.ts';
import { isObject } from '../patch/json.ts';
import type { Call } from './call.ts';

/** A private copy of an object, with whatever members its kind has. */
export type ObjectDraft = Draft<ApiObject> & Record<string, unknown>;

const words = (body: unknown): { readonly kind?: unknown; readonly apiVersion?: unknown } => (typeof body === 'object' && body !== null ? body : {});

/** What a body said, as a message shows it: whatever it was, and no more of it than can be read. */
const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value) ?? '').slice(0, 256);

/** A body may leave kind and apiVersion to the URL; what it says must agree with it. */
const assertKind = (kind: BodyKind<unknown>, body: unknown): void => {
  const said = words(body);
  const apiVersion = apiVersionOf(kind);
  if (said.kind !== undefined && said.kind !== '' && said.kind !== kind.kind) {
    throw badRequest(`${shown(said.kind)} in version ${JSON.stringify(shown(said.apiVersion ?? ''))} cannot be handled as a ${kind.kind}`);
  }
  if (said.apiVersion !== undefined && said.apiVersion !== '' && said.apiVersion !== apiVersion) {
    throw badRequest(`the API version in the data (${shown(said.apiVersion)}) does not match the expected API version (${apiVersion})`);
  }
};

/**
 * The body as a private draft in the shape of its kind, with kind, apiVersion and metadata as first members. Unknown
 * fields are dropped; fieldValidation says whether that is an error, a warning or nothing.
 */
export const readBodyAs = <Body>(kind: BodyKind<Body> & Pick<AnyKind, 'custom'>, { options, warnings }: Pick<Call, 'options' | 'warnings'>, body: unknown): Draft<Body> & ObjectDraft => {
  assertKind(kind, body);
  const { managedFields, rest: decodable } = withoutManagedFields(body);
  const { object, unknown } = (kind.custom === undefined ? decode(kind, decodable) : decodeCustom(kind, decodable)) as { readonly object: Partial<ObjectDraft>; readonly unknown: readonly string[] };
  if (unknown.length > 0) {
    if (options.fieldValidation === 'Strict') throw strictDecodingError(kind, unknown.map(unknownField));
    if (options.fieldValidation === 'Warn') for (const path of unknown) warnings.add(unknownField(path));
  }
  const metadata = { ...object.metadata, ...(managedFields === undefined ? {} : { managedFields }) };
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata, ...rest(object) } as Draft<Body> & ObjectDraft;
};

/**
 * A body and its managedFields, which most clients send back as they came. They are larger than many objects and are not
 * decoded here: whoever keeps track of the fields looks whether they differ from the stored ones, and reads them then.
 */
const withoutManagedFields = (body: unknown): { readonly managedFields?: unknown; readonly rest: unknown } => {
  if (!isObject(body) || !isObject(body['metadata']) || !Object.hasOwn(body['metadata'], 'managedFields')) return { rest: body };
  const { managedFields, ...metadata } = body['metadata'];
  return { managedFields: managedFields ?? undefined, rest: { ...body, metadata } };
};

/** The body of a write to the call's own kind; one in the form of another kind than the stored one comes out in the stored form. */
export const readBody = (call: Pick<Call, 'kind' | 'served' | 'options' | 'warnings'>, body: unknown): ObjectDraft => {
  const { kind, served } = call;
  return served === undefined ? readBodyAs(kind, call, body) : toStoredForm(served, readBodyAs(served, call, body)) as ObjectDraft;
};

/** All members but the first three, which then stand first. */
const rest = ({ kind: _kind, apiVersion: _apiVersion, metadata: _metadata, ...others }: Partial<ObjectDraft>): Record<string, unknown> => others;

/** Fills in what the body left out. */
export const complete = (kind: AnyKind, draft: ObjectDraft, old?: ApiObject): void => {
  if (kind.custom === undefined) applyDefaults(kind.schema, draft);
  else applyCustomDefaults(kind.schema, draft);
  kind.prepare?.(draft, old);
};

export const assertValid = (kind: Pick<AnyKind, 'group' | 'kind'>, name: string, errors: readonly FieldError[]): void => {
  if (errors.length > 0) throw invalid(kind, name, errors);
};

/** Notes what the kind has to say to the writer of an object that passed all checks. */
export const warnOf = ({ kind, warnings }: Pick<Call, 'kind' | 'warnings'>, object: ApiObject, old: ApiObject | undefined): void => {
  if (kind.warn === undefined) return;
  for (const text of kind.warn(object, old)) warnings.add(text);
};

const counted = new WeakMap<AnyKind, { readonly body: readonly string[]; readonly metadata: readonly ('annotations' | 'labels')[] }>();

const countedBy = (kind: AnyKind): { readonly body: readonly string[]; readonly metadata: readonly ('annotations' | 'labels')[] } => {
  let known = counted.get(kind);
  if (known === undefined) {
    const members = kind.generationCounts ?? (Object.hasOwn(kind.schema.properties ?? {}, 'spec') ? ['spec'] : []);
    known = { body: members.filter((member) => !member.includes('.')), metadata: (['annotations', 'labels'] as const).filter((member) => members.includes(`metadata.${member}`)) };
    counted.set(kind, known);
  }
  return known;
};

/** True for kinds whose wanted state has changes that `metadata.generation` counts: that of `spec` as a rule, or all of a custom object. */
export const hasGeneration = (kind: AnyKind): boolean => kind.custom !== undefined || countedBy(kind).body.length > 0;

/** Whether a write changes what is wanted, and not only status or metadata that nobody acts on. */
export const changesWanted = ({ kind, request }: Pick<Call, 'kind' | 'request'>, next: ObjectDraft, current: ObjectDraft): boolean => {
  if (kind.custom === undefined) {
    const { body, metadata } = countedBy(kind);
    return body.some((member) => !deepEqual(next[member], current[member]))
      || (request.subresource === undefined && metadata.some((member) => !deepEqual(next.metadata[member] ?? {}, current.metadata[member] ?? {})));
  }
  const wanted = ({ metadata: _metadata, status, ...others }: ObjectDraft): unknown => (kind.subresources.status === true ? others : { ...others, status });
  return !deepEqual(wanted(next), wanted(current));
};
