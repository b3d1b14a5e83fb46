/**
 * Role-based access control: who may do what is said by Role and ClusterRole objects and by the bindings that give them to
 * users, groups and service accounts.
 *
 * A decision looks at the bindings of the user and of each of his groups, in the cluster and in the namespace, and at no
 * others: they are indexed by subject, and each holds its role. The index follows the cache one change at a time, before
 * the writer of a binding has its answer, so that a grant counts (and a withdrawn one no longer does) from the next request
 * on. A binding to a role that is not there grants nothing.
 */
import type { UserInfo } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { rbacGroup, type PolicyRule, type RoleRef, type Subject } from '../../schemas/types/rbac.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AccessRequest, Authorizer, HeldRules } from './authorizer.ts';
import { accountUserName } from './service-account-user.ts';
import { ruleAllows } from './rules.ts';

interface Binding extends ApiObject {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[] | undefined;
}

interface Role extends ApiObject {
  readonly rules?: readonly PolicyRule[] | undefined;
}

/** A role as bindings hold it, whether it is there or not. */
interface HeldRole {
  readonly key: string;
  rules: readonly PolicyRule[];
  there: boolean;
  /** Subjects of bindings that refer to it. */
  holders: number;
}

/** What a subject holds, by the name of the binding. */
type Held = Map<string, HeldRole>;

/** The bindings of the cluster, or of one namespace, by subject. */
interface Place {
  readonly users: Map<string, Held>;
  readonly groups: Map<string, Held>;
}

/** Where the cache has the role that a binding in a namespace ('': of the cluster) names. */
export const roleKeyOf = ({ kind, name }: RoleRef, namespace: string): string =>
  kind === 'ClusterRole' ? `${rbacGroup}/clusterroles//${name}` : `${rbacGroup}/roles/${namespace}/${name}`;

/** The user or group that a subject of a binding in a namespace means. */
const nameOf = ({ kind, name, namespace }: Subject, home: string): string => (kind === 'ServiceAccount' ? accountUserName(namespace || home, name) : name);

const allows = (held: Held | undefined, access: AccessRequest): boolean => {
  if (held === undefined) return false;
  for (const { rules } of held.values()) {
    for (const rule of rules) if (ruleAllows(rule, access)) return true;
  }
  return false;
};

export class RbacAuthorizer implements Authorizer {
  readonly #roles = new Map<string, HeldRole>();
  /** `''` is the cluster. */
  readonly #places = new Map<string, Place>();

  constructor(state: Pick<WatchCache, 'follow'>) {
    for (const plural of ['clusterroles', 'roles']) {
      state.follow(`${rbacGroup}/${plural}/`, (before, after) => this.#setRole(plural, (after ?? before) as Role, after as Role | undefined));
    }
    for (const plural of ['clusterrolebindings', 'rolebindings']) {
      state.follow(`${rbacGroup}/${plural}/`, (before, after) => {
        if (before !== undefined) this.#bind(before as Binding, 'remove');
        if (after !== undefined) this.#bind(after as Binding, 'add');
      });
    }
  }

  authorize(access: AccessRequest): string | undefined {
    const namespace = access.resource?.namespace;
    if (this.#allowed('', access)) return undefined;
    return namespace !== undefined && namespace !== '' && this.#allowed(namespace, access) ? undefined : '';
  }

  rulesFor({ name, groups }: UserInfo, namespace: string): HeldRules {
    const places = (namespace === '' ? [''] : ['', namespace]).flatMap((one) => this.#places.get(one) ?? []);
    const held = places.flatMap((place) => [place.users.get(name), ...groups.map((group) => place.groups.get(group))]);
    return { rules: held.flatMap((one) => [...one?.values() ?? []].flatMap((role) => role.rules)), complete: true };
  }

  #allowed(at: string, access: AccessRequest): boolean {
    const place = this.#places.get(at);
    if (place === undefined) return false;
    const { name, groups } = access.user;
    return allows(place.users.get(name), access) || groups.some((group) => allows(place.groups.get(group), access));
  }

  #setRole(plural: string, { metadata }: Role, now: Role | undefined): void {
    const role = this.#role(`${rbacGroup}/${plural}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
    role.rules = now?.rules ?? [];
    role.there = now !== undefined;
    this.#forgetUnused(role);
  }

  #bind(binding: Binding, what: 'add' | 'remove'): void {
    const { namespace = '', name = '' } = binding.metadata;
    const place = this.#places.get(namespace) ?? { users: new Map<string, Held>(), groups: new Map<string, Held>() };
    this.#places.set(namespace, place);
    const role = this.#role(roleKeyOf(binding.roleRef, namespace));
    for (const subject of binding.subjects ?? []) {
      const subjects = subject.kind === 'Group' ? place.groups : place.users;
      const called = nameOf(subject, namespace);
      const held = subjects.get(called) ?? new Map<string, HeldRole>();
      // A subject that a binding names twice holds the role once.
      if (what === 'add' && !held.has(name)) role.holders++;
      if (what === 'add') subjects.set(called, held.set(name, role));
      else if (held.delete(name)) role.holders--;
      if (held.size === 0) subjects.delete(called);
    }
    if (place.users.size === 0 && place.groups.size === 0) this.#places.delete(namespace);
    this.#forgetUnused(role);
  }

  #role(key: string): HeldRole {
    let role = this.#roles.get(key);
    if (role === undefined) this.#roles.set(key, role = { key, rules: [], there: false, holders: 0 });
    return role;
  }

  #forgetUnused(role: HeldRole): void {
    if (!role.there && role.holders === 0) this.#roles.delete(role.key);
  }
}
