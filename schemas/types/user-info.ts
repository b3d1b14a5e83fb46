import { list, mapOf, object, string, type Static } from '../schema.ts';

export const authenticationGroup = 'authentication.k8s.io';

export const UserInfo = object('authentication.v1.UserInfo', 'Who somebody is to the API server.', {
  extra: mapOf(list(string('Value.'), 'Values.'), 'Further facts, such as the pod that a token was made for.'),
  groups: list(string('Group.'), 'Groups of the user.', { listType: 'atomic' }),
  uid: string('Tells two users apart who had the same name at different times.'),
  username: string('Name.'),
});
export type UserInfo = Static<typeof UserInfo>;
