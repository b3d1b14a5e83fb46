/**
 * Acting as somebody else. Whoever may `impersonate` a user is treated as that user from there on, by authorization and
 * by everything that is written down; each thing that is taken on (name, groups, UID, further facts) must be allowed by
 * itself, so that who may be Bob cannot be Bob in system:masters.
 */
import type { UserInfo } from '../../schemas/api.ts';
import { badRequest } from '../../schemas/errors.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { accountGroups, accountOfUser } from '../authorization/service-account-user.ts';

/** Headers by name in small letters, with every value that was sent. */
export type HeaderValues = Readonly<Record<string, readonly string[] | undefined>>;

const extraPrefix = 'impersonate-extra-';
const authenticated = 'system:authenticated';
const unauthenticated = 'system:unauthenticated';
const authenticationGroup = 'authentication.k8s.io';

interface Wish {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const extraKey = (header: string): string => {
  try {
    return decodeURIComponent(header.slice(extraPrefix.length)).toLowerCase();
  } catch {
    throw badRequest(`the header ${header.slice(0, 128)} is not URL-encoded as it should be`);
  }
};

const only = (headers: HeaderValues, name: string): string | undefined => {
  const values = headers[name] ?? [];
  if (values.length > 1) throw badRequest(`the header ${name} may be given once only`);
  return values[0] || undefined;
};

/** Whom the headers ask to be; undefined where they do not ask. Throws BadRequest for a group or fact without a user. */
const wishOf = (headers: HeaderValues): Wish | undefined => {
  const name = only(headers, 'impersonate-user');
  const uid = only(headers, 'impersonate-uid');
  const groups = (headers['impersonate-group'] ?? []).filter((group) => group !== '');
  const extra: [string, readonly string[]][] = Object.entries(headers).filter(([header]) => header.startsWith(extraPrefix)).map(([header, values]) => [extraKey(header), values ?? []]);
  if (name === undefined) {
    if (uid !== undefined || groups.length > 0 || extra.length > 0) throw badRequest('requested to impersonate groups, a UID or extras without impersonating a user');
    return undefined;
  }
  if (extra.some(([key]) => key === '' || key === '__proto__')) throw badRequest('an Impersonate-Extra- header has no usable name');
  return { name, uid, groups, extra: Object.fromEntries(extra) };
};

const groupsOf = ({ name, groups }: Wish): readonly string[] => {
  const account = accountOfUser(name);
  const own = groups.length === 0 && account !== undefined ? accountGroups(account.namespace) : groups;
  if (own.includes(authenticated) || own.includes(unauthenticated)) return own;
  return [...own, name === 'system:anonymous' ? unauthenticated : authenticated];
};

/** The user as whom the request goes on: the one who asks, or whom he asks to be. Throws Forbidden when he may not. */
export const impersonated = (authorizer: Authorizer, user: UserInfo, headers: HeaderValues): UserInfo => {
  const wish = wishOf(headers);
  if (wish === undefined) return user;
  const require = (resource: string, name: string, more: { readonly group?: string; readonly namespace?: string; readonly subresource?: string } = {}): void =>
    requireAccess(authorizer, { user, verb: 'impersonate', resource: { group: '', ...more, resource, name } });
  const account = accountOfUser(wish.name);
  if (account === undefined) require('users', wish.name);
  else require('serviceaccounts', account.name, { namespace: account.namespace });
  for (const group of wish.groups) require('groups', group);
  for (const [key, values] of Object.entries(wish.extra)) for (const value of values) require('userextras', value, { group: authenticationGroup, subresource: key });
  if (wish.uid !== undefined) require('uids', wish.uid, { group: authenticationGroup });
  return { name: wish.name, uid: wish.uid, groups: groupsOf(wish), extra: wish.extra };
};
