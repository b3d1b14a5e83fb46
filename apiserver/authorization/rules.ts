/**
 * Rules say what may be done, in the words of RBAC's PolicyRule. The evaluator is a pure function over them; where the
 * rules come from (a fixed table today, Role objects beside it) is not its business.
 */
import type { UserInfo } from '../../schemas/api.ts';
import type { AccessRequest, Authorizer } from './authorizer.ts';

/** What a rule allows. `*` stands for everything; a resource is written `pods` or `pods/log`, or with `*` for either part. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  /** Empty or absent: every name. */
  readonly resourceNames?: readonly string[] | undefined;
  /** Paths; one that ends in `*` covers all that start so. */
  readonly nonResourceURLs?: readonly string[] | undefined;
}

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

/** An authorizer that allows what any grant allows, and everything to `system:masters`. It gives no reason for a refusal. */
export const createRulesAuthorizer = (grants: readonly Grant[]): Authorizer => ({
  authorize: (access) => {
    if (access.user.groups.includes('system:masters')) return undefined;
    for (const grant of grants) {
      if (!isFor(grant, access.user) || !holdsIn(grant, access)) continue;
      const rules = typeof grant.rules === 'function' ? grant.rules(access.user) : grant.rules;
      if (rules.some((rule) => ruleAllows(rule, access))) return undefined;
    }
    return '';
  },
});
