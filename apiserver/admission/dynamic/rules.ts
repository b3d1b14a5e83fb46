/** Which requests a rule means, as pure decisions. */
import type { AnyKind } from '../../../schemas/kind.ts';
import type { Operation } from './subject.ts';

export interface Rule {
  readonly operations?: readonly string[] | undefined;
  readonly apiGroups?: readonly string[] | undefined;
  readonly apiVersions?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly scope?: string | undefined;
  /** Policies name objects as well. */
  readonly resourceNames?: readonly string[] | undefined;
}

/** A request to a resource, in one of the forms in which the resource is served. */
export interface RuleTarget {
  readonly operation: Operation;
  readonly kind: Pick<AnyKind, 'group' | 'version' | 'plural' | 'kind' | 'scope'>;
  readonly subresource: string;
}

const names = (all: readonly string[] | undefined, one: string): boolean => all !== undefined && (all.includes('*') || all.includes(one));

/** `pods`, `pods/exec`, `pods/*`, a star and a subresource, `*` (no subresources) or a star and a star. */
const meansResource = (resources: readonly string[] | undefined, plural: string, subresource: string): boolean =>
  (resources ?? []).some((text) => {
    const slash = text.indexOf('/');
    const [resource, sub] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
    return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource);
  });

/** Namespaces count as objects of the cluster. */
const meansScope = (scope: string | undefined, kind: RuleTarget['kind']): boolean => scope === undefined || scope === '*' || scope === kind.scope;

/** True where the rule means such requests, whatever the names of their objects. */
export const ruleMeans = ({ operations, apiGroups, apiVersions, resources, scope }: Rule, { operation, kind, subresource }: RuleTarget): boolean =>
  names(operations, operation) && names(apiGroups, kind.group) && names(apiVersions, kind.version) && meansResource(resources, kind.plural, subresource) && meansScope(scope, kind);

/** True where the rule means this object; a request without a name is only meant by rules without names. */
export const ruleMeansName = ({ resourceNames = [] }: Rule, name: string): boolean => resourceNames.length === 0 || resourceNames.includes(name);
