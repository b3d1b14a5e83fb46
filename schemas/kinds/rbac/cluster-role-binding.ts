import { bindingColumns } from '../../columns/binding-columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotPathSegment } from '../../names.ts';
import { as } from '../../schema.ts';
import { rbacGroup, RoleRef, subjectsField } from '../../types/rbac.ts';
import { prepareBinding, validateBinding } from '../../validation/rbac.ts';

const schema = topLevel('rbac.v1.ClusterRoleBinding', 'Grants a ClusterRole to users, groups and service accounts in all namespaces and for the cluster itself.', {
  roleRef: as(RoleRef, 'The ClusterRole. It cannot be changed.'),
  subjects: subjectsField,
}, ['roleRef']);

export const ClusterRoleBinding = defineKind(schema, {
  group: rbacGroup, version: 'v1', kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', scope: 'Cluster',
  createOnUpdate: true,
  columns: bindingColumns,
  nameRule: whyNotPathSegment,
  prepare: prepareBinding,
  validate: (binding, old) => validateBinding(binding, old, 'Cluster'),
});
export type ClusterRoleBinding = BodyOf<typeof ClusterRoleBinding>;
