import { createdAtColumn, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotPathSegment } from '../../names.ts';
import { rbacGroup, rulesField } from '../../types/rbac.ts';
import { validateRules } from '../../validation/rbac.ts';

const schema = topLevel('rbac.v1.Role', 'A set of things that may be done in one namespace; bindings grant it.', { rules: rulesField });

export const Role = defineKind(schema, {
  group: rbacGroup, version: 'v1', kind: 'Role', plural: 'roles', scope: 'Namespaced',
  createOnUpdate: true,
  columns: [nameColumn, createdAtColumn],
  nameRule: whyNotPathSegment,
  validate: ({ rules }) => validateRules(rules, 'Namespaced'),
});
export type Role = BodyOf<typeof Role>;
