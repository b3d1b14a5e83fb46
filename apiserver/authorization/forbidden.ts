import { ApiError, qualified } from '../../schemas/errors.ts';
import type { AccessRequest, Authorizer } from './authorizer.ts';

/** The 403 of somebody who may not do what he asks for; other rules may forbid things too. */
export class AccessRefused extends ApiError {}

/** The 403 for an access that was refused, in the words that Kubernetes' clients show. */
export const forbiddenError = (access: AccessRequest, why: string): AccessRefused => {
  const tail = why === '' ? '' : `: ${why}`;
  const user = JSON.stringify(access.user.name);
  const at = access.resource;
  if (at === undefined) return new AccessRefused('Forbidden', `forbidden: User ${user} cannot ${access.verb} path ${JSON.stringify(access.path ?? '')}${tail}`);
  const resource = at.subresource === undefined ? at.resource : `${at.resource}/${at.subresource}`;
  const where = at.namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(at.namespace)}`;
  const subject = at.name === undefined ? qualified(at.resource, at.group) : `${qualified(at.resource, at.group)} ${JSON.stringify(at.name)}`;
  return new AccessRefused(
    'Forbidden',
    `${subject} is forbidden: User ${user} cannot ${access.verb} resource "${resource}" in API group "${at.group}" ${where}${tail}`,
    { name: at.name, group: at.group || undefined, kind: at.resource },
  );
};

/** Throws the 403 when the access is refused. */
export const requireAccess = (authorizer: Authorizer, access: AccessRequest): void => {
  const why = authorizer.authorize(access);
  if (why !== undefined) throw forbiddenError(access, why);
};
