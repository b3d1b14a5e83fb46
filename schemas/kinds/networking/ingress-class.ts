import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, object, oneOf, string, type Static } from '../../schema.ts';
import { validateIngressClass } from '../../validation/ingress.ts';

export const IngressClassParametersReference = object('networking.v1.IngressClassParametersReference', 'Names an object with settings of an ingress class.', {
  apiGroup: string('API group of the object; absent for the core group.'),
  kind: string('Kind of the object.'),
  name: string('Name of the object.'),
  namespace: string('Namespace of the object, when scope is Namespace.'),
  scope: oneOf(['Cluster', 'Namespace'], 'Whether the object belongs to the cluster or to a namespace.', { default: 'Cluster' }),
}, ['kind', 'name']);
export type IngressClassParametersReference = Static<typeof IngressClassParametersReference>;

export const IngressClassSpec = object('networking.v1.IngressClassSpec', 'Who carries out the ingresses of a class.', {
  controller: string('Name of the controller, such as example.com/ingress-controller. It cannot be changed.'),
  parameters: as(IngressClassParametersReference, 'Further settings for the controller.'),
});
export type IngressClassSpec = Static<typeof IngressClassSpec>;

const schema = topLevel('networking.v1.IngressClass', 'A sort of ingress, and the controller that carries it out.', {
  spec: as(IngressClassSpec, 'Who carries out the ingresses of the class.'),
});

const parametersText = (parameters: IngressClassParametersReference | undefined): string =>
  parameters === undefined ? '<none>' : `${parameters.kind}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name}`;

export const IngressClass = defineKind(schema, {
  group: 'networking.k8s.io', version: 'v1', kind: 'IngressClass', plural: 'ingressclasses', scope: 'Cluster',
  columns: [
    nameColumn,
    column('Controller', 'Controller that carries out the ingresses.', ({ spec }) => spec?.controller ?? ''),
    column('Parameters', 'Object with further settings.', ({ spec }) => parametersText(spec?.parameters)),
    ageColumn,
  ],
  validate: ({ spec }, old) => validateIngressClass(spec ?? {}, old === undefined ? undefined : old.spec ?? {}),
});
export type IngressClass = BodyOf<typeof IngressClass>;
