import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, list } from '../../schema.ts';
import { LocalObjectReference, ObjectReference } from '../../types/references.ts';
import { warnAccountAnnotations } from '../../warnings/deprecated.ts';

const schema = topLevel('core.v1.ServiceAccount', 'The identity under which a pod speaks with the API.', {
  automountServiceAccountToken: boolean('False to give pods no token unless they ask.'),
  imagePullSecrets: list(LocalObjectReference, 'Secrets with credentials for fetching images, given to each pod.', { listType: 'atomic', duplicates: 'allowed' }),
  secrets: list(ObjectReference, 'Secrets that pods of the account may use.', { mapKeys: ['name'], mergeKey: 'name', duplicates: 'allowed' }),
});

export const ServiceAccount = defineKind(schema, {
  group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', scope: 'Namespaced',
  shortNames: ['sa'],
  subresources: { special: { token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] } } },
  columns: [nameColumn, column('Secrets', 'Number of secrets that pods of the account may use.', ({ secrets }) => secrets?.length ?? 0, { type: 'integer' }), ageColumn],
  warn: ({ metadata }, old) => (metadata.annotations === old?.metadata.annotations ? [] : warnAccountAnnotations(metadata.annotations)),
});
export type ServiceAccount = BodyOf<typeof ServiceAccount>;
