import type { Controller } from '../../client/controller.ts';
import { ClusterRole } from '../../schemas/kinds/rbac/cluster-role.ts';
import { aggregatedRules } from './plan.ts';

/** Keeps the rules of roles that take in other roles up to date. Each change of a role is a reason to look at all of these. */
export const clusterRoleAggregationController = (): Controller<ClusterRole> => ({
  name: 'clusterrole-aggregation-controller',
  reconciles: ClusterRole,
  watches: [{
    kind: ClusterRole,
    map: (_changed: ClusterRole, context) => context.informer(ClusterRole).list().filter(({ aggregationRule }) => aggregationRule !== undefined)
      .map(({ metadata }) => ({ name: metadata.name ?? '' })),
  }],
  reconcile: async (role, { name }, context) => {
    const rules = role === undefined ? undefined : aggregatedRules(role, context.informer(ClusterRole).list());
    if (role === undefined || rules === undefined) return;
    await context.client.of(ClusterRole).modify({ name }, (draft) => {
      draft.rules = structuredClone(rules) as NonNullable<typeof draft.rules>;
    }, { hint: role });
  },
});
