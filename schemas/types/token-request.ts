/** What clients send to `/token` of a service account. */
import type { BodyKind } from '../decode.ts';
import { topLevel } from '../kind.ts';
import { as, int64, list, object, string, time, type Static } from '../schema.ts';
import { authenticationGroup } from './user-info.ts';

export const BoundObjectReference = object('authentication.v1.BoundObjectReference', 'The object with which a token ends.', {
  apiVersion: string('Version of its kind: v1.'),
  kind: string('Pod, Secret or Node.'),
  name: string('Its name.'),
  uid: string('Its UID; any where absent.'),
});
export type BoundObjectReference = Static<typeof BoundObjectReference>;

const TokenRequestSpec = object('authentication.v1.TokenRequestSpec', 'What token is wanted.', {
  audiences: list(string('Audience.'), 'For whom the token is; the API server where empty.', { listType: 'atomic' }),
  boundObjectRef: as(BoundObjectReference, 'The object with which the token ends; none where absent.'),
  expirationSeconds: int64('Life of the token, at least 10 minutes.', { default: 3600 }),
});

const schema = topLevel('authentication.v1.TokenRequest', 'Asks for a token of a service account.', {
  spec: as(TokenRequestSpec, 'What token is wanted.', { 'x-barge-default-object': true }),
  status: object('authentication.v1.TokenRequestStatus', 'The token.', {
    expirationTimestamp: time('When it ends.'),
    token: string('The token itself.'),
  }),
}, []);

export const TokenRequest: BodyKind<Static<typeof schema>> = Object.freeze({ group: authenticationGroup, version: 'v1', kind: 'TokenRequest', schema });
export type TokenRequest = Static<typeof schema>;
