import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, list } from '../../schema.ts';
import { LocalObjectReference, ObjectReference } from '../../types/references.ts';


const schema = topLevel('core.v1.ServiceAccount', '', {
  automountServiceAccountToken: boolean(''),
  imagePullSecrets: list(LocalObjectReference, '', { listType: 'atomic' }),
  secrets: list(ObjectReference, '', { mapKeys: ['name'], mergeKey: 'name' }),
});

export const ServiceAccount = defineKind(schema, {
  group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', scope: 'Namespaced',
  shortNames: ['sa'],
  columns: [],
});
export type ServiceAccount = BodyOf<typeof ServiceAccount>;
