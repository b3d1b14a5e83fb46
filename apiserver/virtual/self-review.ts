import type { SelfSubjectReview } from '../../schemas/kinds/authentication/self-subject-review.ts';
import type { UserInfo } from '../../schemas/api.ts';
import type { Call, Surroundings } from '../verbs/call.ts';

/** A user as reviews show one. */
export const shownUser = ({ name, uid, groups, extra }: UserInfo): unknown => ({
  username: name, ...(uid === undefined || uid === '' ? {} : { uid }), groups, ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
});

/** Who am I? */
export const selfReview = (_api: Surroundings, _body: SelfSubjectReview, { user }: Call): unknown => ({ userInfo: shownUser(user) });
