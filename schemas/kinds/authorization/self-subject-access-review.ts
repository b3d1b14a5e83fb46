import { nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as } from '../../schema.ts';
import { authorizationGroup, SelfSubjectAccessReviewSpec, SubjectAccessReviewStatus, validateReviewed } from '../../types/access-review.ts';

const schema = topLevel('authorization.v1.SelfSubjectAccessReview', 'Asks whether whoever asks may do something.', {
  spec: as(SelfSubjectAccessReviewSpec, 'What is asked.'),
  status: as(SubjectAccessReviewStatus, 'The answer, given by the server.'),
}, ['spec']);

export const SelfSubjectAccessReview = defineKind(schema, {
  group: authorizationGroup, version: 'v1', kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews', scope: 'Cluster',
  verbs: ['create'],
  columns: [nameColumn],
  validate: ({ spec }) => validateReviewed(spec),
});
export type SelfSubjectAccessReview = BodyOf<typeof SelfSubjectAccessReview>;
