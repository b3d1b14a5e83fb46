import type { FieldValidation, PropagationPolicy, RequestOptions, Verb } from '../../schemas/api.ts';
import { badRequest, invalid, unsupported, wrong, type FieldError } from '../../schemas/errors.ts';

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseWords = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** One of the words that Go's strconv.ParseBool takes for true; anything else is not. */
export const isTrue = (text: string): boolean => trueWords.has(text);

/** What Go's strconv.ParseBool takes; an empty value counts as true, as `?watch` does. Throws BadRequest for anything else. */
export const parseBool = (name: string, text: string): boolean => {
  if (trueWords.has(text) || text === '') return true;
  if (falseWords.has(text)) return false;
  throw badRequest(`invalid value ${JSON.stringify(text.slice(0, 64))} for query parameter ${name}: must be true or false`);
};

/** A whole number from 0 to 2^53 - 1. */
export const parseCount = (name: string, text: string): number => {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw badRequest(`invalid value ${JSON.stringify(text.slice(0, 64))} for query parameter ${name}: must be a whole number, not negative`);
  return value;
};

const fieldValidations: readonly FieldValidation[] = ['Ignore', 'Strict', 'Warn'];
const propagations: readonly PropagationPolicy[] = ['Foreground', 'Background', 'Orphan'];
const maxFieldManager = 128;

/** Name of the options type that an error names, as Kubernetes does. */
const optionsKinds: Readonly<Partial<Record<Verb, string>>> = {
  create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions', delete: 'DeleteOptions', deletecollection: 'DeleteOptions',
};

export const invalidOptions = (verb: Verb, errors: readonly FieldError[]): Error =>
  invalid({ group: 'meta.k8s.io', kind: optionsKinds[verb] ?? 'ListOptions' }, '', errors);

const oneOf = <T extends string>(verb: Verb, name: string, text: string, words: readonly T[]): T => {
  const word = words.find((one) => one === text);
  if (word === undefined) throw invalidOptions(verb, [unsupported(name, text.slice(0, 64), words)]);
  return word;
};

/** `dryRun=All`, any number of times; nothing else is a dry run. */
export const parseDryRun = (verb: Verb, values: readonly string[]): boolean | undefined => {
  const other = values.find((one) => one !== 'All' && one !== '');
  if (other !== undefined) throw invalidOptions(verb, [unsupported('dryRun', other.slice(0, 64), ['All'])]);
  return values.includes('All') ? true : undefined;
};

export const parsePropagation = (verb: Verb, text: string): PropagationPolicy => oneOf(verb, 'propagationPolicy', text, propagations);

/** `orphanDependents` is the old way to say a propagation policy. */
export const orphanPolicy = (orphan: boolean): PropagationPolicy => (orphan ? 'Orphan' : 'Background');

export const checkFieldManager = (verb: Verb, manager: string): string => {
  if (manager.length > maxFieldManager) throw invalidOptions(verb, [wrong('fieldManager', manager.slice(0, 64), `may not be more than ${maxFieldManager} characters`)]);
  if (!/^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]*$/u.test(manager)) throw invalidOptions(verb, [wrong('fieldManager', manager, 'should only contain printable characters')]);
  return manager;
};

const empty: RequestOptions = Object.freeze({});
const reads = new Set<Verb>(['get', 'list', 'watch']);

/**
 * The options that a query string carries. Unknown parameters are ignored, as clients send their own (`timeout`,
 * `pretty`). Throws BadRequest or Invalid with the parameter's name and what would be right.
 */
export const parseOptions = (verb: Verb, query: URLSearchParams | undefined): RequestOptions => {
  if (query === undefined) return empty;
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const bool = (name: string): boolean | undefined => {
    const value = query.get(name);
    return value === null ? undefined : parseBool(name, value);
  };
  const count = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : parseCount(name, value);
  };
  const selectors = { labelSelector: text('labelSelector'), fieldSelector: text('fieldSelector') };
  if (reads.has(verb)) {
    return {
      ...selectors, resourceVersion: text('resourceVersion'), resourceVersionMatch: text('resourceVersionMatch'),
      limit: count('limit') || undefined, continue: text('continue'), timeoutSeconds: count('timeoutSeconds'),
      allowWatchBookmarks: bool('allowWatchBookmarks'), sendInitialEvents: bool('sendInitialEvents'),
    };
  }
  const dryRun = parseDryRun(verb, query.getAll('dryRun'));
  if (verb === 'delete' || verb === 'deletecollection') {
    const orphan = bool('orphanDependents');
    const policy = text('propagationPolicy');
    return {
      ...(verb === 'delete' ? {} : { ...selectors, resourceVersion: text('resourceVersion'), limit: count('limit') || undefined, continue: text('continue') }),
      dryRun, gracePeriodSeconds: count('gracePeriodSeconds'),
      propagationPolicy: policy !== undefined ? parsePropagation(verb, policy) : orphan === undefined ? undefined : orphanPolicy(orphan),
    };
  }
  const validation = text('fieldValidation');
  const manager = text('fieldManager');
  return {
    dryRun, force: bool('force'),
    fieldManager: manager === undefined ? undefined : checkFieldManager(verb, manager),
    fieldValidation: validation === undefined ? undefined : oneOf(verb, 'fieldValidation', validation, fieldValidations),
  };
};

/** The field manager of a client that names none: the first word of its User-Agent up to the slash. */
export const managerOf = (userAgent: string | undefined): string | undefined =>
  userAgent?.split('/', 1)[0]?.replaceAll(/[^\x20-\x7e]/g, '').slice(0, maxFieldManager) || undefined;
