/**
 * Rules say what may be done, in the words of RBAC's PolicyRule. The evaluator is a pure function over them; where the
 * rules come from (a fixed table today, Role objects beside it) is not its business.
 */
import type { UserInfo } from '../../schemas/api.ts';
import type { PolicyRule } from '../../schemas/types/rbac.ts';
import type { AccessRequest, Authorizer } from './authorizer.ts';

/** What a rule allows. `*` stands for everything; a resource is written `pods` or `pods/log`, or with `*` for either part. */
export type { PolicyRule } from '../../schemas/types/rbac.ts';

/** Rules for some users and groups, everywhere or in some namespaces. */
export interface Grant {
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  /** Where the rules hold; absent: in every namespace and for the cluster's own objects. */
  readonly namespaces?: readonly string[];
  readonly rules: readonly PolicyRule[] | ((user: UserInfo) => readonly PolicyRule[]);
}

const has = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && (list.includes(value) || list.includes('*'));

const coversResource = (rule: PolicyRule, resource: string, subresource: string | undefined): boolean => {
  const { resources } = rule;
  if (resources === undefined) return false;
  if (resources.includes('*')) return true;
  if (subresource === undefined) return resources.includes(resource);
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
};

const coversPath = (rule: PolicyRule, path: string): boolean =>
  rule.nonResourceURLs?.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : one === path)) ?? false;

/** True when the rule allows the access, wherever the rule holds. */
export const ruleAllows = (rule: PolicyRule, access: AccessRequest): boolean => {
  if (!has(rule.verbs, access.verb)) return false;
  const at = access.resource;
  if (at === undefined) return access.path !== undefined && coversPath(rule, access.path);
  if (!has(rule.apiGroups, at.group) || !coversResource(rule, at.resource, at.subresource)) return false;
  const names = rule.resourceNames;
  return names === undefined || names.length === 0 || (at.name !== undefined && names.includes(at.name));
};

const isFor = (grant: Grant, user: UserInfo): boolean =>
  (grant.users?.includes(user.name) ?? false) || (grant.groups?.some((group) => user.groups.includes(group)) ?? false);

const holdsIn = (grant: Grant, access: AccessRequest): boolean =>
  grant.namespaces === undefined || (access.resource?.namespace !== undefined && grant.namespaces.includes(access.resource.namespace));

/** The group whose members may do everything, whatever any rule says. */
export const mastersGroup = 'system:masters';

/** All that there is to hold. */
export const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

const rulesOf = (grant: Grant, user: UserInfo): readonly PolicyRule[] => (typeof grant.rules === 'function' ? grant.rules(user) : grant.rules);

/** An authorizer that allows what any grant allows, and everything to `system:masters`. It gives no reason for a refusal. */
export const createRulesAuthorizer = (grants: readonly Grant[]): Authorizer => ({
  authorize: (access) => {
    if (access.user.groups.includes(mastersGroup)) return undefined;
    for (const grant of grants) {
      if (!isFor(grant, access.user) || !holdsIn(grant, access)) continue;
      if (rulesOf(grant, access.user).some((rule) => ruleAllows(rule, access))) return undefined;
    }
    return '';
  },
  rulesFor: (user, namespace) => ({
    rules: user.groups.includes(mastersGroup) ? everything
      : grants.filter((grant) => isFor(grant, user) && (grant.namespaces === undefined || grant.namespaces.includes(namespace))).flatMap((grant) => rulesOf(grant, user)),
    complete: true,
  }),
});

/** Allows what any of them allows. Refused by all, the reason is that of the first that gives one. */
export const anyAuthorizer = (authorizers: readonly Authorizer[]): Authorizer => ({
  authorize: (access) => {
    let why = '';
    for (const one of authorizers) {
      const said = one.authorize(access);
      if (said === undefined) return undefined;
      if (why === '') why = said;
    }
    return why;
  },
  rulesFor: (user, namespace) => {
    const held = authorizers.map((one) => one.rulesFor?.(user, namespace) ?? { rules: [], complete: false });
    return { rules: held.flatMap(({ rules }) => rules), complete: held.every(({ complete }) => complete) };
  },
});
