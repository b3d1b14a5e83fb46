import type { RequestOptions, Verb } from '../../schemas/api.ts';
import { badRequest, wrong } from '../../schemas/errors.ts';
import { invalidOptions, orphanPolicy, parseDryRun, parsePropagation } from './query.ts';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const typed = <T>(name: string, value: unknown, type: string, is: (value: unknown) => value is T): T | undefined => {
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw badRequest(`DeleteOptions: ${name} must be ${type}`);
  return value;
};
const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isStrings = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isString);

/**
 * The options in the body of a delete: a DeleteOptions object, often without kind and apiVersion. What it says goes
 * before the query. Throws BadRequest or Invalid with the field's name.
 */
export const withDeleteOptions = (verb: Verb, body: unknown, query: RequestOptions): RequestOptions => {
  if (body === undefined || body === null) return query;
  if (!isObject(body)) throw badRequest('the body of a delete must be a DeleteOptions object');
  const kind = typed('kind', body['kind'], 'a string', isString);
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') throw badRequest(`the body of a delete must be a DeleteOptions object, not a ${JSON.stringify(kind)}`);
  const grace = typed('gracePeriodSeconds', body['gracePeriodSeconds'], 'a whole number', isInteger);
  if (grace !== undefined && grace < 0) throw invalidOptions(verb, [wrong('gracePeriodSeconds', grace, 'must not be negative')]);
  const policy = typed('propagationPolicy', body['propagationPolicy'], 'a string', isString);
  const orphan = typed('orphanDependents', body['orphanDependents'], 'true or false', isBoolean);
  if (policy !== undefined && orphan !== undefined) throw invalidOptions(verb, [wrong('propagationPolicy', policy, 'orphanDependents and propagationPolicy cannot both be set')]);
  const conditions = typed('preconditions', body['preconditions'], 'an object', isObject);
  const dryRun = parseDryRun(verb, typed('dryRun', body['dryRun'], 'a list of strings', isStrings) ?? []);
  return {
    ...query,
    dryRun: dryRun ?? query.dryRun,
    gracePeriodSeconds: grace ?? query.gracePeriodSeconds,
    propagationPolicy: policy !== undefined ? parsePropagation(verb, policy) : orphan !== undefined ? orphanPolicy(orphan) : query.propagationPolicy,
    ...(conditions === undefined ? {} : {
      preconditions: {
        uid: typed('preconditions.uid', conditions['uid'], 'a string', isString),
        resourceVersion: typed('preconditions.resourceVersion', conditions['resourceVersion'], 'a string', isString),
      },
    }),
  };
};
