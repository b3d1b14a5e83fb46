import type { AccessRequest } from '../../apiserver/authorization/authorizer.ts';
import type { UserInfo } from '../../schemas/api.ts';

export const bob: UserInfo = { name: 'bob', groups: [] };

/** An access from `verb group resource[/subresource] [namespace [name]]`, where `-` is empty; or from `verb /path`. */
export const access = (text: string, user: UserInfo = bob): AccessRequest => {
  const [verb = '', group = '', where = '', namespace, name] = text.split(' ').map((word) => (word === '-' ? '' : word));
  if (group.startsWith('/')) return { user, verb, path: group };
  const [resource = '', subresource] = where.split('/');
  return { user, verb, resource: { group, resource, subresource, namespace: namespace || undefined, name } };
};
