import { wrong } from '../../errors.ts';
import { nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as } from '../../schema.ts';
import { authorizationGroup, SubjectAccessReviewSpec, SubjectAccessReviewStatus, validateReviewed, validateSubject } from '../../types/access-review.ts';

const schema = topLevel('authorization.v1.LocalSubjectAccessReview', 'Asks whether a user may do something in one namespace. Who may ask that may be granted by namespace.', {
  spec: as(SubjectAccessReviewSpec, 'Who, and what in the namespace.'),
  status: as(SubjectAccessReviewStatus, 'The answer, given by the server.'),
}, ['spec']);

export const LocalSubjectAccessReview = defineKind(schema, {
  group: authorizationGroup, version: 'v1', kind: 'LocalSubjectAccessReview', plural: 'localsubjectaccessreviews', scope: 'Namespaced',
  verbs: ['create'],
  columns: [nameColumn],
  validate: ({ metadata, spec }) => {
    const { resourceAttributes, nonResourceAttributes } = spec;
    if (nonResourceAttributes !== undefined) return [wrong('spec.nonResourceAttributes', nonResourceAttributes, 'disallowed on this kind of request')];
    return [
      ...validateReviewed(spec), ...validateSubject(spec),
      ...(resourceAttributes === undefined || resourceAttributes.namespace === metadata.namespace ? []
        : [wrong('spec.resourceAttributes.namespace', resourceAttributes.namespace ?? '', 'must match metadata.namespace')]),
    ];
  },
});
export type LocalSubjectAccessReview = BodyOf<typeof LocalSubjectAccessReview>;
