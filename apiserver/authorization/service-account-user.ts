/** How a service account is called as a user. */
const prefix = 'system:serviceaccount:';

export const accountUserName = (namespace: string, name: string): string => `${prefix}${namespace}:${name}`;

/** The groups of an account: all accounts, and those of its namespace. */
export const accountGroups = (namespace: string): readonly string[] => ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];

/** The account that a user name means, or undefined for any other user. */
export const accountOfUser = (userName: string): { readonly namespace: string; readonly name: string } | undefined => {
  if (!userName.startsWith(prefix)) return undefined;
  const [namespace, name, more] = userName.slice(prefix.length).split(':');
  return namespace === undefined || name === undefined || more !== undefined || namespace === '' || name === '' ? undefined : { namespace, name };
};
