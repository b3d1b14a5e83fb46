import { labelMatcher } from '../../../../schemas/label-selector.ts';
import type { MatchResources } from '../../../../schemas/types/admission-rules.ts';
import type { Scope } from '../hook.ts';
import type { Rule } from '../rules.ts';

const everything: Rule = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };

/** The scope of a policy or of a binding; a binding without rules means all that its policy means. */
export const scopeOfPolicy = ({ resourceRules = [], excludeResourceRules = [], matchPolicy = 'Equivalent', namespaceSelector, objectSelector }: MatchResources): Scope => ({
  rules: resourceRules.length === 0 ? [everything] : resourceRules, excluded: excludeResourceRules, matchPolicy,
  namespaces: labelMatcher(namespaceSelector), objects: labelMatcher(objectSelector),
});
