import { bindingColumns } from '../../columns/binding-columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotPathSegment } from '../../names.ts';
import { as } from '../../schema.ts';
import { rbacGroup, RoleRef, subjectsField } from '../../types/rbac.ts';
import { prepareBinding, validateBinding } from '../../validation/rbac.ts';

const schema = topLevel('rbac.v1.RoleBinding', 'Grants a role to users, groups and service accounts within one namespace.', {
  roleRef: as(RoleRef, 'The role: a Role of the same namespace or a ClusterRole. It cannot be changed.'),
  subjects: subjectsField,
}, ['roleRef']);

export const RoleBinding = defineKind(schema, {
  group: rbacGroup, version: 'v1', kind: 'RoleBinding', plural: 'rolebindings', scope: 'Namespaced',
  createOnUpdate: true,
  columns: bindingColumns,
  nameRule: whyNotPathSegment,
  prepare: prepareBinding,
  validate: (binding, old) => validateBinding(binding, old, 'Namespaced'),
});
export type RoleBinding = BodyOf<typeof RoleBinding>;
