import { createHash } from 'node:crypto';
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Authenticator } from './authenticator.ts';

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

/**
 * Users by bearer token, from a fixed table (empty where a cluster has no tokens). Tokens are looked up by their hash,
 * so that the time of a lookup says nothing about them. Any other Authorization header is a wrong credential.
 */
export const createTokenAuthenticator = (tokens: ReadonlyMap<string, UserInfo>): Authenticator => {
  const users = new Map([...tokens].map(([token, user]) => [digest(token), user]));
  return {
    authenticate: ({ authorization }) => {
      if (authorization === undefined) return undefined;
      const token = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1];
      const user = token === undefined ? undefined : users.get(digest(token));
      if (user === undefined) throw new ApiError('Unauthorized', 'Unauthorized');
      return { ...user, groups: [...new Set([...user.groups, 'system:authenticated'])] };
    },
  };
};
