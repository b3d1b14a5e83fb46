import { nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, object } from '../../schema.ts';
import { authenticationGroup, UserInfo } from '../../types/user-info.ts';

const schema = topLevel('authentication.v1.SelfSubjectReview', 'Asks who one is to the API server.', {
  status: object('authentication.v1.SelfSubjectReviewStatus', 'The answer, given by the server.', { userInfo: as(UserInfo, 'Who asks.') }),
});

export const SelfSubjectReview = defineKind(schema, {
  group: authenticationGroup, version: 'v1', kind: 'SelfSubjectReview', plural: 'selfsubjectreviews', scope: 'Cluster',
  verbs: ['create'],
  columns: [nameColumn],
});
export type SelfSubjectReview = BodyOf<typeof SelfSubjectReview>;
