/** What the reviews of authorization.k8s.io ask and answer. */
import { required, wrong, type FieldError } from '../errors.ts';
import { boolean, list, mapOf, object, string, type Static } from '../schema.ts';
import { LabelSelectorRequirement } from './label-selector.ts';

export const authorizationGroup = 'authorization.k8s.io';

const FieldSelectorRequirement = object('meta.v1.FieldSelectorRequirement', 'One condition on a field.', {
  key: string('Path of the field.'),
  operator: string('In, NotIn, Exists or DoesNotExist.'),
  values: list(string('Value.'), 'Values, for In and NotIn.', { listType: 'atomic' }),
}, ['key', 'operator']);

const FieldSelectorAttributes = object('authorization.v1.FieldSelectorAttributes', 'The field selector of the request in question.', {
  rawSelector: string('The selector as the query says it.'),
  requirements: list(FieldSelectorRequirement, 'The selector, taken apart.', { listType: 'atomic' }),
});

const LabelSelectorAttributes = object('authorization.v1.LabelSelectorAttributes', 'The label selector of the request in question.', {
  rawSelector: string('The selector as the query says it.'),
  requirements: list(LabelSelectorRequirement, 'The selector, taken apart.', { listType: 'atomic' }),
});

export const ResourceAttributes = object('authorization.v1.ResourceAttributes', 'Something that is done to a resource.', {
  fieldSelector: FieldSelectorAttributes,
  group: string("API group of the resource; '*' means all."),
  labelSelector: LabelSelectorAttributes,
  name: string('Name of the object; empty means all.'),
  namespace: string('Namespace; empty means the whole cluster.'),
  resource: string("Resource in the plural; '*' means all."),
  subresource: string('Subresource, such as log.'),
  verb: string("What is done: get, list, watch, create, update, patch, delete, ...; '*' means everything."),
  version: string("API version; '*' means all."),
});
export type ResourceAttributes = Static<typeof ResourceAttributes>;

export const NonResourceAttributes = object('authorization.v1.NonResourceAttributes', 'A request for a path that is no resource.', {
  path: string('The path.'),
  verb: string('The HTTP method in small letters.'),
});
export type NonResourceAttributes = Static<typeof NonResourceAttributes>;

export const SelfSubjectAccessReviewSpec = object('authorization.v1.SelfSubjectAccessReviewSpec', 'What is asked: one of the two.', {
  nonResourceAttributes: NonResourceAttributes,
  resourceAttributes: ResourceAttributes,
});

export const SubjectAccessReviewSpec = object('authorization.v1.SubjectAccessReviewSpec', 'Who, and what: one of the two.', {
  extra: mapOf(list(string('Value.'), 'Values.'), 'Further facts about the user.'),
  groups: list(string('Group.'), 'Groups of the user.', { listType: 'atomic' }),
  nonResourceAttributes: NonResourceAttributes,
  resourceAttributes: ResourceAttributes,
  uid: string('UID of the user.'),
  user: string('Name of the user; with groups alone, nobody in particular who is in these groups.'),
});

export const SubjectAccessReviewStatus = object('authorization.v1.SubjectAccessReviewStatus', 'The answer.', {
  allowed: boolean('True when it may be done.'),
  denied: boolean('True when it was refused outright.'),
  evaluationError: string('What went wrong while it was decided.'),
  reason: string('Why it is so.'),
}, ['allowed']);

export interface AccessReviewSpec {
  readonly nonResourceAttributes?: NonResourceAttributes | undefined;
  readonly resourceAttributes?: ResourceAttributes | undefined;
}

/** A review asks about a resource or about a path, and not about both. */
export const validateReviewed = ({ nonResourceAttributes, resourceAttributes }: AccessReviewSpec): readonly FieldError[] => {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) return [wrong('spec.nonResourceAttributes', nonResourceAttributes, 'cannot be specified in combination with resourceAttributes')];
  return resourceAttributes === undefined && nonResourceAttributes === undefined ? [wrong('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')] : [];
};

/** A review of others must say of whom. */
export const validateSubject = ({ user = '', groups = [] }: { readonly user?: string | undefined; readonly groups?: readonly string[] | undefined }): readonly FieldError[] =>
  (user === '' && groups.length === 0 ? [required('spec.user', 'at least one of user or group must be specified')] : []);
