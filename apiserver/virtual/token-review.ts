import { isReason } from '../../schemas/errors.ts';
import type { TokenReview } from '../../schemas/kinds/authentication/token-review.ts';
import type { Surroundings } from '../verbs/call.ts';
import { shownUser } from './self-review.ts';

/** Who is this token from? */
export const tokenReview = ({ tokens }: Surroundings, { spec }: TokenReview): unknown => {
  const wanted = spec.audiences ?? [];
  try {
    const bearer = tokens.bearerOf(spec.token, wanted);
    if (bearer === undefined) return { authenticated: false, user: {}, error: 'the token is of no sort that is known here' };
    return { authenticated: true, user: shownUser(bearer.user), ...(bearer.audiences.length === 0 ? {} : { audiences: bearer.audiences }) };
  } catch (error) {
    if (!isReason(error, 'Unauthorized')) throw error;
    return { authenticated: false, user: {}, error: error.message };
  }
};
