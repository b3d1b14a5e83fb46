import type { Clock } from '../../base/clock.ts';
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Authenticator, PresentedCertificate } from './authenticator.ts';

const authenticated = 'system:authenticated';

/** Users by the certificate of their connection: who it names does not change. */
const users = new WeakMap<PresentedCertificate, UserInfo>();

const userOf = (certificate: PresentedCertificate): UserInfo => {
  let user = users.get(certificate);
  if (user === undefined) users.set(certificate, user = Object.freeze({ name: certificate.commonName, groups: Object.freeze([...new Set([...certificate.organizations, authenticated])]) }));
  return user;
};

/**
 * Users are client certificates of the cluster's CA: CN is the name, O are the groups. One that is not the CA's, has
 * run out (looked at in each request, since connections live long) or names nobody is refused.
 */
export const createCertificateAuthenticator = (clock: Pick<Clock, 'now'>): Authenticator => ({
  authenticate: ({ certificate }) => {
    if (certificate === undefined) return undefined;
    if (!certificate.trusted || certificate.commonName === '' || clock.now() > certificate.notAfterMs) throw new ApiError('Unauthorized', 'Unauthorized');
    return userOf(certificate);
  },
});
