/** Field selectors: `status.phase=Running,spec.nodeName!=n1`. Only `=`, `==` and `!=`, on the fields that a kind names. */
import { badRequest } from './errors.ts';
import type { AnyKind, ApiObject } from './kind.ts';

export interface FieldRequirement {
  readonly path: string;
  readonly equal: boolean;
  readonly value: string;
}

export interface FieldMatcher {
  readonly requirements: readonly FieldRequirement[];
  readonly everything: boolean;
  matches(object: ApiObject): boolean;
  /** The value that the field must have when a condition says so; lets a caller use an index. */
  exact(path: string): string | undefined;
  toString(): string;
}

const maxTextLength = 64 * 1024;

/** Splits at commas that no backslash escapes. */
const terms = (text: string): readonly string[] => text.match(/(?:\\.|[^,\\])+|\\$/gs) ?? [];

const unescape = (text: string, whole: string): string => {
  const plain = text.replaceAll(/\\(.?)/gs, (_, next: string) => {
    if (next === ',' || next === '=' || next === '\\') return next;
    throw badRequest(`invalid field selector ${JSON.stringify(whole)}: a backslash must stand before ',', '=' or another backslash`);
  });
  return plain;
};

const escape = (text: string): string => text.replaceAll(/[\\,=]/g, (one) => `\\${one}`);

const parseTerm = (term: string, whole: string): FieldRequirement => {
  const match = /^((?:\\.|[^=!\\])*?)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw badRequest(`invalid selector: ${JSON.stringify(term)}; can't understand it: a field, '=', '==' or '!=' and a value are wanted`);
  const [, path = '', operator, value = ''] = match;
  if (/(?<!\\)(?:\\\\)*=/.test(value)) throw badRequest(`invalid field selector ${JSON.stringify(whole)}: '=' in a value must be written '\\='`);
  return { path: path.trim(), equal: operator !== '!=', value: unescape(value, whole) };
};

/** The conditions of a `fieldSelector` parameter, whatever the kind. Throws BadRequest. */
export const parseFieldRequirements = (text: string): readonly FieldRequirement[] => {
  if (text.length > maxTextLength) throw badRequest(`the field selector is longer than ${maxTextLength} characters`);
  return terms(text).map((term) => parseTerm(term, text));
};

type Getter = (object: ApiObject) => string;

const always: Readonly<Record<string, Getter>> = {
  'metadata.name': (object) => object.metadata.name ?? '',
  'metadata.namespace': (object) => object.metadata.namespace ?? '',
};

/** The value of a selectable field, or undefined when the kind has no such field. */
export const fieldGetter = (kind: AnyKind, path: string): Getter | undefined =>
  Object.hasOwn(always, path) ? always[path] : Object.hasOwn(kind.fields, path) ? (kind.fields[path] as Getter) : undefined;

/** Parses the text of a `fieldSelector` parameter for one kind; empty selects everything. Throws BadRequest, also for a field that the kind does not have. */
export const parseFieldSelector = (kind: AnyKind, text: string): FieldMatcher => {
  const requirements = parseFieldRequirements(text);
  const tests = requirements.map(({ path, equal, value }) => {
    const get = fieldGetter(kind, path);
    if (get === undefined) {
      const known = [...Object.keys(always), ...Object.keys(kind.fields).sort()].map((one) => JSON.stringify(one)).join(', ');
      throw badRequest(`${JSON.stringify(path)} is not a known field selector: only ${known}`);
    }
    return (object: ApiObject): boolean => (get(object) === value) === equal;
  });
  return Object.freeze({
    requirements,
    everything: requirements.length === 0,
    matches: (object: ApiObject) => tests.every((test) => test(object)),
    exact: (path: string) => requirements.find((one) => one.equal && one.path === path)?.value,
    toString: () => requirements.map((one) => `${one.path}${one.equal ? '=' : '!='}${escape(one.value)}`).join(','),
  });
};
