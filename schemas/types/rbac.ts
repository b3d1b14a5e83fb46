import { list, object, string, type Static } from '../schema.ts';
import { LabelSelector } from './label-selector.ts';

/** The API group of roles and bindings, and the one in which users and groups are named. */
export const rbacGroup = 'rbac.authorization.k8s.io';

export const PolicyRule = object('rbac.v1.PolicyRule', 'Things that may be done: verbs on resources, or verbs on paths that are no resources.', {
  apiGroups: list(string('API group.'), "API groups of the resources; '' is the core group and '*' stands for all.", { listType: 'atomic' }),
  nonResourceURLs: list(string('Path.'), "Paths outside of resources, such as /healthz; a '*' at the end stands for whatever follows. Only ClusterRoles can grant them.", { listType: 'atomic' }),
  resourceNames: list(string('Name.'), 'Names of the objects to which the rule is limited; empty allows every name.', { listType: 'atomic' }),
  resources: list(string('Resource.'), "Resources in the plural, such as pods or pods/log; '*' stands for all.", { listType: 'atomic' }),
  verbs: list(string('Verb.'), "What may be done, such as get, list or create; '*' stands for everything.", { listType: 'atomic' }),
}, ['verbs']);
export type PolicyRule = Static<typeof PolicyRule>;

export const AggregationRule = object('rbac.v1.AggregationRule', 'Says from which other ClusterRoles a ClusterRole takes its rules.', {
  clusterRoleSelectors: list(LabelSelector, 'Labels of those ClusterRoles; a role that any one selector matches counts.', { listType: 'atomic' }),
});
export type AggregationRule = Static<typeof AggregationRule>;

export const RoleRef = object('rbac.v1.RoleRef', 'Names the role whose rules a binding grants.', {
  apiGroup: string('API group of the role; there is only rbac.authorization.k8s.io.', { default: rbacGroup }),
  kind: string('Role or ClusterRole.'),
  name: string('Name of the role.'),
}, ['kind', 'name'], { 'x-kubernetes-map-type': 'atomic' });
export type RoleRef = Static<typeof RoleRef>;

export const Subject = object('rbac.v1.Subject', 'Someone to whom a binding grants a role.', {
  apiGroup: string('API group in which the name is meant: rbac.authorization.k8s.io for users and groups, empty for service accounts.'),
  kind: string('User, Group or ServiceAccount.'),
  name: string('Name of the user, group or service account.'),
  namespace: string('Namespace of a service account; users and groups have none.'),
}, ['kind', 'name'], { 'x-kubernetes-map-type': 'atomic' });
export type Subject = Static<typeof Subject>;

export const subjectsField = list(Subject, 'Those to whom the role is granted.', { listType: 'atomic' });
export const rulesField = list(PolicyRule, 'What the role allows; there is no rule that forbids.', { listType: 'atomic' });
