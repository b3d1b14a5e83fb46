import { deepEqual } from '../../schemas/frozen.ts';
import type { ClusterRole } from '../../schemas/kinds/rbac/cluster-role.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import type { PolicyRule } from '../../schemas/types/rbac.ts';

/**
 * The rules that an aggregating role must have: those of all other roles that one of its selectors matches, in the order
 * of their names, each rule once. Undefined when it has them, or does not aggregate.
 */
export const aggregatedRules = (role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] | undefined => {
  const selectors = role.aggregationRule?.clusterRoleSelectors?.map((selector) => labelMatcher(selector));
  if (selectors === undefined) return undefined;
  const rules: PolicyRule[] = [];
  const seen = new Set<string>();
  for (const other of all.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
    if (other.metadata.name === role.metadata.name || !selectors.some((selector) => selector.matches(other.metadata.labels))) continue;
    for (const rule of other.rules ?? []) {
      const text = JSON.stringify(rule);
      if (!seen.has(text)) rules.push(rule);
      seen.add(text);
    }
  }
  return deepEqual(rules, role.rules ?? []) ? undefined : rules;
};
