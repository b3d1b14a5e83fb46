/**
 * Nobody hands on what he does not hold. Who writes a role must hold every rule of it (or the verb `escalate` on it), and
 * who binds one must hold every rule of the role (or the verb `bind` on it), where it will count.
 */
import { ApiError, notFound, qualified } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { rbacGroup, type AggregationRule, type PolicyRule, type RoleRef } from '../../schemas/types/rbac.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { uncovered } from '../authorization/covers.ts';
import { roleKeyOf } from '../authorization/rbac.ts';
import { everything } from '../authorization/rules.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

interface RoleLike extends ApiObject {
  readonly rules?: readonly PolicyRule[] | undefined;
  readonly aggregationRule?: AggregationRule | undefined;
}

interface BindingLike extends ApiObject {
  readonly roleRef: RoleRef;
}

/** What an object grants does not hang on these. Labels count: aggregated roles go by them. */
const essence = ({ metadata: { labels, annotations }, ...rest }: ApiObject): unknown => ({ ...rest, labels, annotations });

/** Rules shown in an error; the rest is counted. */
const maxShown = 20;

const shownRule = ({ apiGroups, resources, resourceNames, nonResourceURLs, verbs }: PolicyRule): string => {
  const parts = Object.entries({ APIGroups: apiGroups, Resources: resources, ResourceNames: resourceNames, NonResourceURLs: nonResourceURLs, Verbs: verbs })
    .filter(([, values]) => (values ?? []).length > 0).map(([name, values]) => `${name}:${JSON.stringify(values)}`);
  return `{${parts.join(', ')}}`;
};

const refusal = ({ kind, name }: AdmissionContext, why: string): ApiError =>
  new ApiError('Forbidden', `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} is forbidden: ${why}`, { name, group: kind.group, kind: kind.plural });

export const roleEscalation = (state: Pick<WatchCache, 'get'>, authorizer: Authorizer): AdmissionPlugin => {
  const requireHeld = (rules: readonly PolicyRule[], namespace: string, context: AdmissionContext): void => {
    const { user } = context;
    const missing = uncovered(rules, authorizer.rulesFor?.(user, namespace).rules ?? []);
    if (missing.length === 0) return;
    const lines = missing.slice(0, maxShown).map(shownRule);
    if (missing.length > maxShown) lines.push(`and ${missing.length - maxShown} more`);
    throw refusal(context, `user ${JSON.stringify(user.name)} (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`);
  };

  const may = (context: AdmissionContext, verb: 'escalate' | 'bind', resource: string, name: string): boolean =>
    authorizer.authorize({ user: context.user, verb, resource: { group: rbacGroup, resource, namespace: context.namespace || undefined, name } }) === undefined;

  const checkRole = (role: RoleLike, context: AdmissionContext): void => {
    if (may(context, 'escalate', context.kind.plural, context.name)) return;
    const old = context.old as RoleLike | undefined;
    if (role.aggregationRule !== undefined && !deepEqual(role.aggregationRule, old?.aggregationRule)) {
      // Whatever is labelled later comes in: only who holds everything may open that door.
      if (uncovered(everything, authorizer.rulesFor?.(context.user, '').rules ?? []).length > 0) throw refusal(context, 'must have cluster-admin privileges to use the aggregationRule');
    }
    requireHeld(role.rules ?? [], context.namespace, context);
  };

  const checkBinding = ({ roleRef }: BindingLike, context: AdmissionContext): void => {
    const plural = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
    if (may(context, 'bind', plural, roleRef.name)) return;
    const role = state.get(roleKeyOf(roleRef, context.namespace)) as RoleLike | undefined;
    if (role === undefined) throw notFound({ group: rbacGroup, plural, kind: roleRef.kind }, roleRef.name);
    requireHeld(role.rules ?? [], context.namespace, context);
  };

  return {
    name: 'RoleEscalation',
    admit: (object, context) => {
      if (context.kind.group !== rbacGroup) return;
      if (context.old !== undefined && deepEqual(essence(object), essence(context.old))) return;
      if (context.kind.plural === 'roles' || context.kind.plural === 'clusterroles') checkRole(object, context);
      else checkBinding(object as BindingLike, context);
    },
  };
};
