/**
 * Role-based access control: who may do what is said by Role and ClusterRole objects and by the bindings that give them to
 * users, groups and service accounts.
 *
 * A decision looks at the bindings of the user and of each of his groups, in the cluster and in the namespace, and at no
 * others: they are indexed by subject. The index follows the cache one change at a time, before the writer of a binding
 * has its answer, so that a grant counts (and a withdrawn one no longer does) from the next request on. Roles are looked
 * up in the cache by the binding's reference; a binding to a role that is not there grants nothing.
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

/** Cache keys of roles by binding, in one place of the tree: `''` for the cluster, else a namespace. */
type Bindings = Map<string, Map<string, string>>;

const userKey = (name: string): string => `u:${name}`;
const groupKey = (name: string): string => `g:${name}`;

/** Where the cache has the role that a binding in a namespace ('': of the cluster) names. */
export const roleKeyOf = ({ kind, name }: RoleRef, namespace: string): string =>
  kind === 'ClusterRole' ? `${rbacGroup}/clusterroles//${name}` : `${rbacGroup}/roles/${namespace}/${name}`;

const subjectKeys = ({ subjects = [], metadata }: Binding): readonly string[] => subjects.map(({ kind, name, namespace }) => {
  switch (kind) {
    case 'User': return userKey(name);
    case 'Group': return groupKey(name);
    default: return userKey(accountUserName(namespace || metadata.namespace || '', name));
  }
});

/** What is indexed of the cluster's state. */
export type RbacState = Pick<WatchCache, 'get' | 'follow'>;

export class RbacAuthorizer implements Authorizer {
  readonly #state: RbacState;
  readonly #places = new Map<string, Bindings>();

  constructor(state: RbacState) {
    this.#state = state;
    for (const plural of ['clusterrolebindings', 'rolebindings']) {
      state.follow(`${rbacGroup}/${plural}/`, (before, after) => {
        if (before !== undefined) this.#remove(before as Binding);
        if (after !== undefined) this.#add(after as Binding);
      });
    }
  }

  authorize(access: AccessRequest): string | undefined {
    const namespace = access.resource?.namespace ?? '';
    for (const rules of this.#rulesIn('', access.user)) if (rules.some((rule) => ruleAllows(rule, access))) return undefined;
    if (namespace === '') return '';
    for (const rules of this.#rulesIn(namespace, access.user)) if (rules.some((rule) => ruleAllows(rule, access))) return undefined;
    return '';
  }

  rulesFor(user: UserInfo, namespace: string): HeldRules {
    const places = namespace === '' ? [''] : ['', namespace];
    return { rules: places.flatMap((place) => [...this.#rulesIn(place, user)].flat()), complete: true };
  }

  /** The rules of each role that is bound to the user or one of his groups. */
  *#rulesIn(place: string, user: UserInfo): Generator<readonly PolicyRule[], void> {
    const bindings = this.#places.get(place);
    if (bindings === undefined) return;
    yield* this.#rulesOf(bindings.get(userKey(user.name)));
    for (const group of user.groups) yield* this.#rulesOf(bindings.get(groupKey(group)));
  }

  *#rulesOf(roles: ReadonlyMap<string, string> | undefined): Generator<readonly PolicyRule[], void> {
    for (const key of roles?.values() ?? []) yield (this.#state.get(key) as Role | undefined)?.rules ?? [];
  }

  #add(binding: Binding): void {
    const { namespace = '', name = '' } = binding.metadata;
    let bindings = this.#places.get(namespace);
    if (bindings === undefined) this.#places.set(namespace, bindings = new Map());
    const role = roleKeyOf(binding.roleRef, namespace);
    for (const key of subjectKeys(binding)) {
      const roles = bindings.get(key);
      if (roles === undefined) bindings.set(key, new Map([[name, role]]));
      else roles.set(name, role);
    }
  }

  #remove(binding: Binding): void {
    const { namespace = '', name = '' } = binding.metadata;
    const bindings = this.#places.get(namespace);
    if (bindings === undefined) return;
    for (const key of subjectKeys(binding)) {
      const roles = bindings.get(key);
      roles?.delete(name);
      if (roles?.size === 0) bindings.delete(key);
    }
    if (bindings.size === 0) this.#places.delete(namespace);
  }
}
