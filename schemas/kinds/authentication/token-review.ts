import { required } from '../../errors.ts';
import { nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, boolean, list, object, string } from '../../schema.ts';
import { authenticationGroup, UserInfo } from '../../types/user-info.ts';

const audiences = (description: string) => list(string('Audience.'), description, { listType: 'atomic' });

const schema = topLevel('authentication.v1.TokenReview', 'Asks who a bearer token is from.', {
  spec: object('authentication.v1.TokenReviewSpec', 'What is asked.', {
    audiences: audiences('For whom the token must be meant, any of them; the API server where absent.'),
    token: string('The token.'),
  }, ['token']),
  status: object('authentication.v1.TokenReviewStatus', 'The answer, given by the server.', {
    audiences: audiences('Those of the audiences for whom the token is meant.'),
    authenticated: boolean('True when the token is good.'),
    error: string('What is wrong with it.'),
    user: as(UserInfo, 'Who it is from.'),
  }),
}, ['spec']);

export const TokenReview = defineKind(schema, {
  group: authenticationGroup, version: 'v1', kind: 'TokenReview', plural: 'tokenreviews', scope: 'Cluster',
  verbs: ['create'],
  columns: [nameColumn],
  validate: ({ spec }) => (spec.token === '' ? [required('spec.token')] : []),
});
export type TokenReview = BodyOf<typeof TokenReview>;
