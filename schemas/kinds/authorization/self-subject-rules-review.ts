import { required } from '../../errors.ts';
import { nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, boolean, list, object, string } from '../../schema.ts';
import { authorizationGroup } from '../../types/access-review.ts';

const words = (item: string, description: string) => list(string(item), description, { listType: 'atomic' });

const ResourceRule = object('authorization.v1.ResourceRule', 'Things that may be done to resources.', {
  apiGroups: words('API group.', "API groups; '*' means all."),
  resourceNames: words('Name.', 'Names to which it is limited; empty means all.'),
  resources: words('Resource.', "Resources in the plural; '*' means all."),
  verbs: words('Verb.', "What may be done; '*' means everything."),
}, ['verbs']);

const NonResourceRule = object('authorization.v1.NonResourceRule', 'Paths that may be asked for.', {
  nonResourceURLs: words('Path.', "Paths; a '*' at the end stands for whatever follows."),
  verbs: words('Verb.', "HTTP methods in small letters; '*' means all."),
}, ['verbs']);

const Status = object('authorization.v1.SubjectRulesReviewStatus', 'What may be done.', {
  evaluationError: string('What went wrong while it was found out.'),
  incomplete: boolean('True when there may be more than is listed.'),
  nonResourceRules: list(NonResourceRule, 'Paths that may be asked for.', { listType: 'atomic' }),
  resourceRules: list(ResourceRule, 'Things that may be done to resources.', { listType: 'atomic' }),
}, ['incomplete', 'nonResourceRules', 'resourceRules']);

const schema = topLevel('authorization.v1.SelfSubjectRulesReview', 'Asks for all that whoever asks may do in a namespace. It is meant to be shown to people; to decide, ask an access review.', {
  spec: object('authorization.v1.SelfSubjectRulesReviewSpec', 'Where.', { namespace: string('The namespace.') }),
  status: as(Status, 'The answer, given by the server.'),
}, ['spec']);

export const SelfSubjectRulesReview = defineKind(schema, {
  group: authorizationGroup, version: 'v1', kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', scope: 'Cluster',
  verbs: ['create'],
  columns: [nameColumn],
  validate: ({ spec }) => ((spec.namespace ?? '') === '' ? [required('spec.namespace')] : []),
});
export type SelfSubjectRulesReview = BodyOf<typeof SelfSubjectRulesReview>;
