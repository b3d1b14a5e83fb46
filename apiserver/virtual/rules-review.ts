import type { SelfSubjectRulesReview } from '../../schemas/kinds/authorization/self-subject-rules-review.ts';
import type { Call, Surroundings } from '../verbs/call.ts';

/** What may I do in this namespace? An authorizer that does not go by rules makes the list incomplete. */
export const rulesReview = ({ authorizer }: Surroundings, { spec }: SelfSubjectRulesReview, { user }: Call): unknown => {
  const found = authorizer.rulesFor?.(user, spec.namespace ?? '');
  const rules = found?.rules ?? [];
  return {
    resourceRules: rules.filter(({ resources = [] }) => resources.length > 0).map(({ verbs, apiGroups, resources, resourceNames = [] }) =>
      ({ verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) })),
    nonResourceRules: rules.filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: found?.complete !== true,
  };
};
