/** Rules for roles and their bindings. */
import { refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import type { Draft } from '../frozen.ts';
import { deepEqual } from '../frozen.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotDnsSubdomain, whyNotPathSegment } from '../names.ts';
import { rbacGroup, type AggregationRule, type PolicyRule, type RoleRef, type Subject } from '../types/rbac.ts';

export type RoleScope = 'Namespaced' | 'Cluster';

const validateRule = (rule: PolicyRule, field: string, scope: RoleScope): readonly FieldError[] => {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    if (scope === 'Namespaced') errors.push(wrong(`${field}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      errors.push(wrong(`${field}.nonResourceURLs`, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (apiGroups.length === 0) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return errors;
};

/** Every wrong rule of a role; only roles of the whole cluster may speak of paths that are no resources. */
export const validateRules = (rules: readonly PolicyRule[] | undefined, scope: RoleScope): readonly FieldError[] =>
  (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, scope));

/** An aggregation must select something, by selectors that can be read. */
export const validateAggregation = (aggregation: AggregationRule | undefined): readonly FieldError[] => {
  if (aggregation === undefined) return [];
  const field = 'aggregationRule.clusterRoleSelectors';
  const { clusterRoleSelectors: selectors = [] } = aggregation;
  if (selectors.length === 0) return [required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, index) => validateLabelSelector(selector, `${field}[${index}]`));
};

interface Binding {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[] | undefined;
}

const validateSubject = (subject: Subject, field: string, scope: RoleScope): readonly FieldError[] => {
  const { kind, name, apiGroup = '', namespace = '' } = subject;
  const errors: FieldError[] = name === '' ? [required(`${field}.name`)] : [];
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') errors.push(...refused(`${field}.name`, name, whyNotDnsSubdomain(name)));
      if (apiGroup !== '') errors.push(unsupported(`${field}.apiGroup`, apiGroup, ['']));
      if (scope === 'Cluster' && namespace === '') errors.push(required(`${field}.namespace`));
      break;
    case 'User': case 'Group':
      if (apiGroup !== rbacGroup) errors.push(unsupported(`${field}.apiGroup`, apiGroup, [rbacGroup]));
      break;
    default:
      errors.push(unsupported(`${field}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
};

/** Every wrong field of a binding. Which role it grants is said once and for all: another role takes another binding. */
export const validateBinding = ({ roleRef, subjects }: Binding, old: Binding | undefined, scope: RoleScope): readonly FieldError[] => {
  const kinds = scope === 'Namespaced' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return [
    ...((roleRef.apiGroup ?? '') === rbacGroup ? [] : [unsupported('roleRef.apiGroup', roleRef.apiGroup ?? '', [rbacGroup])]),
    ...(kinds.includes(roleRef.kind) ? [] : [unsupported('roleRef.kind', roleRef.kind, kinds)]),
    ...(roleRef.name === '' ? [required('roleRef.name')] : refused('roleRef.name', roleRef.name, whyNotPathSegment(roleRef.name))),
    ...(subjects ?? []).flatMap((subject, index) => validateSubject(subject, `subjects[${index}]`, scope)),
    ...(old === undefined || deepEqual(roleRef, old.roleRef) ? [] : [wrong('roleRef', roleRef, 'cannot change roleRef')]),
  ];
};

/** Users and groups are named in the group of roles unless the body says otherwise. */
export const prepareBinding = ({ subjects }: Draft<Binding>): void => {
  for (const subject of subjects ?? []) {
    if ((subject.apiGroup ?? '') === '' && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = rbacGroup;
  }
};
