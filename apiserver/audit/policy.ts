/**
 * What is written down of which requests, as Kubernetes' audit Policy says it: the first rule that fits a request gives
 * its level, and a request that no rule fits is not written down at all.
 */
import type { ResourcePath, UserInfo } from '../../schemas/api.ts';
import { levels, stages, type Level, type Stage } from './event.ts';

/** What a policy looks at. */
export interface Audited {
  /** Who asks, before he is taken for somebody else; undefined where nobody knows. */
  readonly user: UserInfo | undefined;
  /** `get`, `list`, `create`, ...; for paths that are no resources the HTTP method in small letters. */
  readonly verb: string;
  readonly path: ResourcePath | undefined;
  /** Without the query. */
  readonly pathname: string;
}

export interface GroupResources {
  readonly group: string;
  /** `pods`, `pods/log`, `pods/*`, `*` with `/scale`, `*`; none: all of the group. */
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

export interface PolicyRule {
  readonly level: Level;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly PolicyRule[];
}

/** What is written down of one request. */
export type Verdict = Pick<PolicyRule, 'level' | 'omitStages' | 'omitManagedFields'>;

const nothing: Verdict = { level: 'None', omitStages: [], omitManagedFields: false };

const fits = <T>(list: readonly T[], value: T): boolean => list.length === 0 || list.includes(value);

const fitsResource = ({ namespaces, resources }: PolicyRule, { group, resource, subresource, namespace = '', name = '' }: ResourcePath): boolean => {
  if (!fits(namespaces, namespace)) return false;
  if (resources.length === 0) return true;
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  return resources.some((one) => one.group === group && (one.resources.length === 0 || (fits(one.resourceNames, name)
    && one.resources.some((word) => word === whole || word === '*' || (subresource !== undefined && word === `*/${subresource}`) || word === `${resource}/*`))));
};

const fitsPath = (urls: readonly string[], pathname: string): boolean =>
  urls.some((one) => (one.endsWith('*') ? pathname.startsWith(one.slice(0, -1)) : pathname === one));

const fitsRule = (rule: PolicyRule, { user, verb, path, pathname }: Audited): boolean => {
  if (rule.users.length > 0 && (user === undefined || !rule.users.includes(user.name))) return false;
  if (rule.userGroups.length > 0 && user?.groups.some((group) => rule.userGroups.includes(group)) !== true) return false;
  if (!fits(rule.verbs, verb)) return false;
  if (rule.namespaces.length > 0 || rule.resources.length > 0) return path !== undefined && fitsResource(rule, path);
  if (rule.nonResourceURLs.length > 0) return path === undefined && fitsPath(rule.nonResourceURLs, pathname);
  return true;
};

/** What a policy says of a request. */
export const verdictOf = ({ rules }: AuditPolicy, request: Audited): Verdict => rules.find((rule) => fitsRule(rule, request)) ?? nothing;

/** A policy that cannot be read; the message names the field and what would be right. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

type Members = Readonly<Record<string, unknown>>;

const members = (value: unknown, at: string, known: readonly string[]): Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyError(`${at}: must be an object`);
  const stranger = Object.keys(value).find((name) => !known.includes(name));
  if (stranger !== undefined) throw new PolicyError(`${at}.${stranger}: there is no such field; there are: ${known.join(', ')}`);
  return value as Members;
};

const texts = (value: unknown, at: string): readonly string[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) throw new PolicyError(`${at}: must be a list of texts`);
  return value as readonly string[];
};

const wordsOf = <const T extends string>(value: unknown, at: string, words: readonly T[]): readonly T[] => texts(value, at).map((one, index) => {
  const word = words.find((known) => known === one);
  if (word === undefined) throw new PolicyError(`${at}[${index}]: ${JSON.stringify(one)} must be one of ${words.join(', ')}`);
  return word;
});

const truth = (value: unknown, at: string): boolean | undefined => {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new PolicyError(`${at}: must be true or false`);
  return value;
};

const list = (value: unknown, at: string): readonly unknown[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new PolicyError(`${at}: must be a list`);
  return value;
};

const readResources = (value: unknown, at: string): GroupResources => {
  const { group, resources, resourceNames } = members(value, at, ['group', 'resources', 'resourceNames']);
  if (group !== undefined && typeof group !== 'string') throw new PolicyError(`${at}.group: must be a text`);
  const names = texts(resourceNames, `${at}.resourceNames`);
  if (names.length > 0 && texts(resources, `${at}.resources`).length === 0) throw new PolicyError(`${at}.resources: must name resources where resourceNames are given`);
  return { group: group ?? '', resources: texts(resources, `${at}.resources`), resourceNames: names };
};

const ruleFields = ['level', 'users', 'userGroups', 'verbs', 'resources', 'namespaces', 'nonResourceURLs', 'omitStages', 'omitManagedFields'];

const readRule = (value: unknown, at: string, all: { readonly omitStages: readonly Stage[]; readonly omitManagedFields: boolean }): PolicyRule => {
  const rule = members(value, at, ruleFields);
  const level = levels.find((one) => one === rule['level']);
  if (level === undefined) throw new PolicyError(`${at}.level: must be one of ${levels.join(', ')}`);
  const urls = texts(rule['nonResourceURLs'], `${at}.nonResourceURLs`);
  const resources = list(rule['resources'], `${at}.resources`).map((one, index) => readResources(one, `${at}.resources[${index}]`));
  const namespaces = texts(rule['namespaces'], `${at}.namespaces`);
  if (urls.length > 0 && (resources.length > 0 || namespaces.length > 0)) throw new PolicyError(`${at}.nonResourceURLs: a rule is about paths or about resources, not about both`);
  const bad = urls.findIndex((url) => url !== '*' && (!url.startsWith('/') || url.slice(0, -1).includes('*')));
  if (bad >= 0) throw new PolicyError(`${at}.nonResourceURLs[${bad}]: must begin with "/" and have "*" at the end alone`);
  return {
    level, resources, namespaces, nonResourceURLs: urls,
    users: texts(rule['users'], `${at}.users`), userGroups: texts(rule['userGroups'], `${at}.userGroups`), verbs: texts(rule['verbs'], `${at}.verbs`),
    omitStages: [...all.omitStages, ...wordsOf(rule['omitStages'], `${at}.omitStages`, stages)], omitManagedFields: truth(rule['omitManagedFields'], `${at}.omitManagedFields`) ?? all.omitManagedFields,
  };
};

/** Reads a Policy of audit.k8s.io/v1. Throws PolicyError with the first field that is wrong. */
export const readPolicy = (value: unknown): AuditPolicy => {
  const policy = members(value, 'policy', ['kind', 'apiVersion', 'metadata', 'rules', 'omitStages', 'omitManagedFields']);
  if (policy['kind'] !== 'Policy' || policy['apiVersion'] !== 'audit.k8s.io/v1') throw new PolicyError('policy: must have the kind Policy and the apiVersion audit.k8s.io/v1');
  const all = { omitStages: wordsOf(policy['omitStages'], 'omitStages', stages), omitManagedFields: truth(policy['omitManagedFields'], 'omitManagedFields') ?? false };
  const rules = list(policy['rules'], 'rules').map((one, index) => readRule(one, `rules[${index}]`, all));
  if (rules.length === 0) throw new PolicyError('rules: must have at least one rule, or nothing is written');
  return { rules };
};

/**
 * The policy of a log for which none is given: who did what and with which outcome, without bodies, so that no secret gets
 * into it. Left out is what says nothing of people's doings: health checks, discovery, events, and the renewal of leases.
 */
export const defaultPolicy: AuditPolicy = readPolicy({
  kind: 'Policy', apiVersion: 'audit.k8s.io/v1', omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi/*', '/api', '/api/*', '/apis', '/apis/*', '/metrics'], verbs: ['get', 'head'] },
    { level: 'None', resources: [{ group: '', resources: ['events'] }, { group: 'events.k8s.io', resources: ['events'] }] },
    { level: 'None', userGroups: ['system:nodes'], resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'None', users: ['system:barge:controllers', 'system:barge:scheduler', 'system:barge:proxy', 'system:apiserver'], verbs: ['get', 'list', 'watch'] },
    { level: 'Metadata' },
  ],
});
