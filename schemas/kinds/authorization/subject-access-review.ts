import { nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as } from '../../schema.ts';
import { authorizationGroup, SubjectAccessReviewSpec, SubjectAccessReviewStatus, validateReviewed, validateSubject } from '../../types/access-review.ts';

const schema = topLevel('authorization.v1.SubjectAccessReview', 'Asks whether a user may do something.', {
  spec: as(SubjectAccessReviewSpec, 'Who, and what.'),
  status: as(SubjectAccessReviewStatus, 'The answer, given by the server.'),
}, ['spec']);

export const SubjectAccessReview = defineKind(schema, {
  group: authorizationGroup, version: 'v1', kind: 'SubjectAccessReview', plural: 'subjectaccessreviews', scope: 'Cluster',
  verbs: ['create'],
  columns: [nameColumn],
  validate: ({ spec }) => [...validateReviewed(spec), ...validateSubject(spec)],
});
export type SubjectAccessReview = BodyOf<typeof SubjectAccessReview>;
