/** How a request of HTTP looks to the audit log. */
import type { IncomingMessage } from 'node:http';
import type { ResourcePath } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Arrived, AuditedRequest, Auditor } from '../audit/auditor.ts';
import { AccessRefused } from '../authorization/forbidden.ts';
import { splitUrl, type Exchange } from './exchange.ts';
import { askerFor } from './identity.ts';
import { parseResourcePath, verbOf } from './resource-path.ts';
import { watchWanted } from './in-flight.ts';

const longestUserAgent = 512;

const sourceOf = ({ socket }: IncomingMessage): readonly string[] => {
  const address = socket.remoteAddress?.replace(/^::ffff:/, '');
  return address === undefined ? [] : [address];
};

const wordsOf = (request: IncomingMessage): Pick<Arrived, 'requestURI' | 'sourceIPs' | 'userAgent' | 'auditID'> => {
  const given = request.headers['audit-id'];
  return {
    requestURI: request.url ?? '', sourceIPs: sourceOf(request), userAgent: request.headers['user-agent']?.slice(0, longestUserAgent),
    ...(typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? { auditID: given } : {}),
  };
};

const verbIn = (request: IncomingMessage, path: ResourcePath | undefined, query: URLSearchParams | undefined): string => {
  const method = request.method ?? 'GET';
  return (path === undefined ? undefined : verbOf(method, path, watchWanted(query))) ?? method.toLowerCase();
};

/** Notes a request whose user is known. */
export const auditExchange = (auditor: Auditor, { request, user, pathname, query }: Omit<Exchange, 'response'>, path: ResourcePath | undefined): AuditedRequest | undefined => {
  const asker = askerFor(user);
  return auditor.begin({ ...wordsOf(request), user: asker, ...(asker === user ? {} : { impersonated: user }), verb: verbIn(request, path, query), path, pathname });
};

/** Notes a request that is refused before anybody knows who asks. */
export const auditStranger = (auditor: Auditor, request: IncomingMessage): AuditedRequest | undefined => {
  const { pathname, query } = splitUrl(request.url ?? '/');
  let path: ResourcePath | undefined;
  try {
    path = parseResourcePath(pathname);
  } catch {
    // named by its URL alone
  }
  return auditor.begin({ ...wordsOf(request), user: undefined, verb: verbIn(request, path, query), path, pathname });
};

/** Notes why a request failed. */
export const auditFailure = (audit: AuditedRequest | undefined, error: unknown): void => {
  if (audit === undefined) return;
  if (error instanceof ApiError) audit.failed(error, error instanceof AccessRefused ? 'refused' : 'failed');
  if (!(error instanceof ApiError) || (error.reason === 'InternalError' && error.message.startsWith('Internal error occurred') && error.cause !== undefined)) audit.panicked();
};
