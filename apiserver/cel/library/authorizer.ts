/** authorizer.group('apps').resource('deployments').check('create').allowed(): what somebody may do, asked of the server's own authorizer. */
import type { UserInfo } from '../../../schemas/api.ts';
import type { AccessRequest, Authorizer } from '../../authorization/authorizer.ts';
import type { CelBudget } from '../budget.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { CelOpaque } from '../values.ts';

/** What a question to the authorizer costs. */
const checkCost = 2_000;

type Resource = NonNullable<AccessRequest['resource']>;

abstract class Same extends CelOpaque {
  equals(other: CelOpaque): boolean {
    return other === this;
  }
}

/** Somebody, whose rights can be asked for. */
export class CelAuthorizer extends Same {
  readonly typeName = 'kubernetes.authorization.Authorizer';
  readonly authorizer: Authorizer;
  readonly user: UserInfo;

  constructor(authorizer: Authorizer, user: UserInfo) {
    super();
    this.authorizer = authorizer;
    this.user = user;
  }

  /** A question about a resource, to which a verb is missing. */
  resource(resource: Resource): CelOpaque {
    return new ResourceCheck(this, resource);
  }
}

class PathCheck extends Same {
  readonly typeName = 'kubernetes.authorization.PathCheck';
  readonly by: CelAuthorizer;
  readonly path: string;

  constructor(by: CelAuthorizer, path: string) {
    super();
    this.by = by;
    this.path = path;
  }
}

class GroupCheck extends Same {
  readonly typeName = 'kubernetes.authorization.GroupCheck';
  readonly by: CelAuthorizer;
  readonly group: string;

  constructor(by: CelAuthorizer, group: string) {
    super();
    this.by = by;
    this.group = group;
  }
}

class ResourceCheck extends Same {
  readonly typeName = 'kubernetes.authorization.ResourceCheck';
  readonly by: CelAuthorizer;
  readonly resource: Resource;

  constructor(by: CelAuthorizer, resource: Resource) {
    super();
    this.by = by;
    this.resource = resource;
  }

  with(words: Partial<Resource>): ResourceCheck {
    return new ResourceCheck(this.by, { ...this.resource, ...words });
  }
}

class Decision extends Same {
  readonly typeName = 'kubernetes.authorization.Decision';
  /** Undefined where it is allowed. */
  readonly why: string | undefined;

  constructor(why: string | undefined) {
    super();
    this.why = why;
  }
}

const asked = ({ authorizer, user }: CelAuthorizer, access: Omit<AccessRequest, 'user'>, budget: CelBudget): Decision => {
  budget.spend(checkCost);
  return new Decision(authorizer.authorize({ user, ...access }));
};

const account = ({ authorizer }: CelAuthorizer, namespace: string, name: string): CelAuthorizer => {
  if (namespace === '' || name === '') throw new CelError('a service account needs a namespace and a name');
  return new CelAuthorizer(authorizer, { name: `system:serviceaccount:${namespace}:${name}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'] });
};

const orNone = (text: string): string | undefined => text || undefined;

/** The functions of the variable `authorizer`, for environments that have it. */
export const authorizerFunctions: readonly CelFunction[] = [
  fn('kubernetes.authorization.Authorizer.path(string): kubernetes.authorization.PathCheck', (by: CelAuthorizer, path: string) => {
    if (path === '') throw new CelError('path must not be empty');
    return new PathCheck(by, path);
  }),
  fn('kubernetes.authorization.Authorizer.group(string): kubernetes.authorization.GroupCheck', (by: CelAuthorizer, group: string) => new GroupCheck(by, group)),
  fn('kubernetes.authorization.Authorizer.serviceAccount(string, string): kubernetes.authorization.Authorizer', account),
  fn('kubernetes.authorization.GroupCheck.resource(string): kubernetes.authorization.ResourceCheck', ({ by, group }: GroupCheck, resource: string) => {
    if (resource === '') throw new CelError('resource must not be empty');
    return new ResourceCheck(by, { group, resource });
  }),
  fn('kubernetes.authorization.ResourceCheck.subresource(string): kubernetes.authorization.ResourceCheck', (check: ResourceCheck, subresource: string) => check.with({ subresource: orNone(subresource) })),
  fn('kubernetes.authorization.ResourceCheck.namespace(string): kubernetes.authorization.ResourceCheck', (check: ResourceCheck, namespace: string) => check.with({ namespace: orNone(namespace) })),
  fn('kubernetes.authorization.ResourceCheck.name(string): kubernetes.authorization.ResourceCheck', (check: ResourceCheck, name: string) => check.with({ name: orNone(name) })),
  // Selectors narrow a request that is allowed only with them; this server's rules know none.
  fn('kubernetes.authorization.ResourceCheck.fieldSelector(string): kubernetes.authorization.ResourceCheck', (check: ResourceCheck) => check),
  fn('kubernetes.authorization.ResourceCheck.labelSelector(string): kubernetes.authorization.ResourceCheck', (check: ResourceCheck) => check),
  fn('kubernetes.authorization.PathCheck.check(string): kubernetes.authorization.Decision', ({ by, path }: PathCheck, verb: string, budget: CelBudget) => asked(by, { verb, path }, budget)),
  fn('kubernetes.authorization.ResourceCheck.check(string): kubernetes.authorization.Decision', ({ by, resource }: ResourceCheck, verb: string, budget: CelBudget) => asked(by, {
    verb, resource: { ...resource, subresource: orNone(resource.subresource ?? ''), namespace: orNone(resource.namespace ?? ''), name: orNone(resource.name ?? '') },
  }, budget)),
  fn('kubernetes.authorization.Decision.allowed(): bool', ({ why }: Decision) => why === undefined),
  fn('kubernetes.authorization.Decision.reason(): string', ({ why }: Decision) => why ?? ''),
  fn('kubernetes.authorization.Decision.errored(): bool', () => false),
  fn('kubernetes.authorization.Decision.error(): string', () => ''),
];
