import type { UserInfo } from '../../schemas/api.ts';
import type { AccessReviewSpec } from '../../schemas/types/access-review.ts';
import type { LocalSubjectAccessReview } from '../../schemas/kinds/authorization/local-subject-access-review.ts';
import type { SelfSubjectAccessReview } from '../../schemas/kinds/authorization/self-subject-access-review.ts';
import type { SubjectAccessReview } from '../../schemas/kinds/authorization/subject-access-review.ts';
import { badRequest } from '../../schemas/errors.ts';
import type { AccessRequest } from '../authorization/authorizer.ts';
import type { Call, Surroundings } from '../verbs/call.ts';

/** The access that a review asks about. Empty words are those of a request that does not have them. */
const accessOf = (user: UserInfo, { resourceAttributes: at, nonResourceAttributes: path }: AccessReviewSpec): AccessRequest => {
  if (at === undefined) return { user, verb: path?.verb ?? '', path: path?.path ?? '' };
  const { verb = '', group = '', resource = '', subresource, namespace, name } = at;
  return { user, verb, resource: { group, resource, subresource: subresource || undefined, namespace: namespace || undefined, name: name || undefined } };
};

const decide = ({ authorizer }: Surroundings, access: AccessRequest): { readonly allowed: boolean; readonly reason?: string } => {
  const why = authorizer.authorize(access);
  if (why === undefined) return { allowed: true };
  return why === '' ? { allowed: false } : { allowed: false, reason: why };
};

const subjectOf = ({ user = '', groups = [], uid, extra }: SubjectAccessReview['spec']): UserInfo => ({ name: user, groups, uid, extra });

/** May I? */
export const selfAccessReview = (api: Surroundings, { spec }: SelfSubjectAccessReview, { user }: Call): unknown => decide(api, accessOf(user, spec));

/** May they? */
export const accessReview = (api: Surroundings, { spec }: SubjectAccessReview): unknown => decide(api, accessOf(subjectOf(spec), spec));

/** May they, in this namespace? */
export const localAccessReview = (api: Surroundings, { metadata, spec }: LocalSubjectAccessReview, { namespace }: Call): unknown => {
  if (metadata.namespace !== namespace) throw badRequest(`the namespace of the provided object does not match the namespace sent on the request: ${JSON.stringify(metadata.namespace)} is not ${JSON.stringify(namespace)}`);
  return decide(api, accessOf(subjectOf(spec), spec));
};
