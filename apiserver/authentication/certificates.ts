import type { Clock } from '../../base/clock.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Authenticator } from './authenticator.ts';

const authenticated = 'system:authenticated';

/**
 * Users are client certificates of the cluster's CA: CN is the name, O are the groups. One that is not the CA's, has
 * run out (looked at in each request, since connections live long) or names nobody is refused.
 */
export const createCertificateAuthenticator = (clock: Pick<Clock, 'now'>): Authenticator => ({
  authenticate: ({ certificate }) => {
    if (certificate === undefined) return undefined;
    if (!certificate.trusted || certificate.commonName === '' || clock.now() > certificate.notAfterMs) throw new ApiError('Unauthorized', 'Unauthorized');
    return { name: certificate.commonName, groups: [...new Set([...certificate.organizations, authenticated])] };
  },
});
