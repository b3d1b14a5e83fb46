import { anonymous } from '../../schemas/api.ts';
import type { Authenticator } from './authenticator.ts';

/** Asks each authenticator in turn; the first that knows the user wins. Nobody knows them: `system:anonymous`. */
export const firstOf = (authenticators: readonly Authenticator[]): Authenticator => ({
  authenticate: (credentials) => {
    for (const one of authenticators) {
      const user = one.authenticate(credentials);
      if (user !== undefined) return user;
    }
    return anonymous;
  },
});
