import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { subjectOf } from '../../base/pki.ts';
import { anonymous, type UserInfo } from '../../schemas/api.ts';
import type { Authenticator, PresentedCertificate } from '../authentication/authenticator.ts';
import { impersonated } from '../authentication/impersonation.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { splitUrl } from './exchange.ts';
import { parseProxyPath } from './proxy-path.ts';

const impersonation = /^impersonate-/i;
const letters = new Set(['i', 'I']);

/** Few requests have such headers: the others pay for one look at the first letter of each. */
const impersonates = ({ rawHeaders }: IncomingMessage): boolean => {
  for (let at = 0; at < rawHeaders.length; at += 2) if (letters.has(rawHeaders[at]![0]!) && impersonation.test(rawHeaders[at]!)) return true;
  return false;
};

/** Connections live long: the certificate of each is read once. */
const presented = new WeakMap<TLSSocket, PresentedCertificate | null>();

const certificateOf = (socket: TLSSocket): PresentedCertificate | undefined => {
  let found = presented.get(socket);
  if (found === undefined) {
    const certificate = socket.getPeerX509Certificate?.();
    found = certificate === undefined ? null : {
      // OpenSSL has checked the chain, the dates and the usage; the handshake went on only so that we can say 401.
      trusted: socket.authorized, ...subjectOf(certificate), notAfterMs: Date.parse(certificate.validTo),
    };
    presented.set(socket, found);
  }
  return found ?? undefined;
};

/** Who asks where he acts as somebody else; each acting user is an object of its own. */
const askers = new WeakMap<UserInfo, UserInfo>();

/** Who sent the request that acts as this user: mostly that user. */
export const askerFor = (user: UserInfo): UserInfo => askers.get(user) ?? user;

/** As whom a request acts: who it is from, or whom that one asks to be and may be. Throws Unauthorized or Forbidden. */
export const actorOf = (authenticator: Authenticator, authorizer: Authorizer, request: IncomingMessage): UserInfo => {
  const user = userOf(authenticator, request);
  if (!impersonates(request)) return user;
  const acting = impersonated(authorizer, user, request.headersDistinct);
  if (acting !== user) askers.set(acting, user);
  return acting;
};

/** Who a request is from; `system:anonymous` where it shows no credential. Throws Unauthorized for a wrong one. */
const userOf = (authenticator: Authenticator, request: IncomingMessage): UserInfo =>
  authenticator.authenticate({ certificate: certificateOf(request.socket as TLSSocket), authorization: request.headers.authorization }) ?? anonymous;

/**
 * Why a request may not have come from a page of another site, or undefined. Browsers send client certificates along
 * with such requests, and they may open WebSockets to anywhere; other clients send no Origin.
 */
export const foreignOrigin = (request: IncomingMessage): string | undefined => {
  const { origin, host } = request.headers;
  if (origin === undefined || (request.method === 'GET' && request.headers.upgrade === undefined) || request.method === 'HEAD') return undefined;
  return URL.canParse(origin) && new URL(origin).host === host ? undefined : `requests from ${origin.slice(0, 128)} are not allowed`;
};

const localHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * True for a request through `proxy` from a page of this machine's own loopback: pages of applications that are looked at
 * through `kubectl proxy` have that origin, while what they send arrives with this server's own Host.
 */
export const isOfLocalProxy = ({ headers: { origin = '' }, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): boolean =>
  url.includes('/proxy/') && URL.canParse(origin) && localHosts.has(new URL(origin).hostname) && parseProxyPath(splitUrl(url).pathname) !== undefined;
