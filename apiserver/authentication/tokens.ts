import { createHash } from 'node:crypto';
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Authenticator } from './authenticator.ts';

/** Who a good token is from. */
export interface Bearer {
  readonly user: UserInfo;
  /** Those of the audiences asked for that the token is meant for; empty where tokens of its sort are for the API server only. */
  readonly audiences: readonly string[];
}

/** One sort of bearer tokens. */
export interface TokenSource {
  /**
   * Who the token is from, if it is meant for one of the audiences (the API server where there are none). Undefined for a
   * token of another sort. Throws ApiError Unauthorized for one of this sort that is wrong, with the reason as message:
   * whoever shows the token must not be told it.
   */
  bearerOf(token: string, audiences: readonly string[]): Bearer | undefined;
}

export const unauthorized = (why = 'Unauthorized'): ApiError => new ApiError('Unauthorized', why);

/** By this the time of a lookup or comparison says nothing about the token. */
export const tokenDigest = (token: string): string => createHash('sha256').update(token).digest('base64');

/** Tokens from a fixed table. */
export const fixedTokens = (tokens: ReadonlyMap<string, UserInfo>): TokenSource => {
  const users = new Map([...tokens].map(([token, user]) => [tokenDigest(token), user]));
  return {
    bearerOf: (token, audiences) => {
      const user = audiences.length > 0 ? undefined : users.get(tokenDigest(token));
      return user === undefined ? undefined : { user: withAuthenticated(user), audiences: [] };
    },
  };
};

/** Asks each source in turn; the first that knows the sort of token decides. */
export const anyTokens = (sources: readonly TokenSource[]): TokenSource => ({
  bearerOf: (token, audiences) => {
    for (const source of sources) {
      const bearer = source.bearerOf(token, audiences);
      if (bearer !== undefined) return bearer;
    }
    return undefined;
  },
});

/** Everybody who is known at all is in `system:authenticated`. */
export const withAuthenticated = (user: UserInfo): UserInfo => ({ ...user, groups: [...new Set([...user.groups, 'system:authenticated'])] });

/** Users by bearer token. A token that no source takes, and any other Authorization header, is a wrong credential. */
export const createTokenAuthenticator = (source: TokenSource): Authenticator => ({
  authenticate: ({ authorization }) => {
    if (authorization === undefined) return undefined;
    const token = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1];
    let bearer: Bearer | undefined;
    try {
      bearer = token === undefined ? undefined : source.bearerOf(token, []);
    } catch (error) {
      // Which part of a credential is wrong is nobody's business who has no right one.
      throw error instanceof ApiError && error.reason === 'Unauthorized' ? unauthorized() : error;
    }
    if (bearer === undefined) throw unauthorized();
    return bearer.user;
  },
});
