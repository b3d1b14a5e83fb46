import { createdAtColumn, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotPathSegment } from '../../names.ts';
import { as } from '../../schema.ts';
import { AggregationRule, rbacGroup, rulesField } from '../../types/rbac.ts';
import { validateAggregation, validateRules } from '../../validation/rbac.ts';

const schema = topLevel('rbac.v1.ClusterRole', 'A set of things that may be done; bindings grant it in one namespace or everywhere.', {
  aggregationRule: as(AggregationRule, 'Takes the rules from other ClusterRoles; the rules that the object itself names are then overwritten.'),
  rules: rulesField,
});

export const ClusterRole = defineKind(schema, {
  group: rbacGroup, version: 'v1', kind: 'ClusterRole', plural: 'clusterroles', scope: 'Cluster',
  createOnUpdate: true,
  columns: [nameColumn, createdAtColumn],
  nameRule: whyNotPathSegment,
  validate: ({ rules, aggregationRule }) => [...validateRules(rules, 'Cluster'), ...validateAggregation(aggregationRule)],
});
export type ClusterRole = BodyOf<typeof ClusterRole>;
