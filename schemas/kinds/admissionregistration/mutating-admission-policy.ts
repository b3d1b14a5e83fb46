import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, list, object, oneOf, string, type Static } from '../../schema.ts';
import { failurePolicy, matchConditions, MatchResources, ParamKind, Variable } from '../../types/admission-rules.ts';
import { validateMutatingPolicy } from '../../validation/admission-policies.ts';

export const ApplyConfiguration = object('admissionregistration.v1.ApplyConfiguration', 'Fields that an object gets, as by server-side apply.', {
  expression: string('The fields, in CEL, such as Object{spec: Object.spec{replicas: 1}}.'),
});
export type ApplyConfiguration = Static<typeof ApplyConfiguration>;

export const JSONPatch = object('admissionregistration.v1.JSONPatch', 'Changes to an object as a JSON patch.', {
  expression: string('A list of the operations of the patch, in CEL.'),
});
export type JSONPatch = Static<typeof JSONPatch>;

export const Mutation = object('admissionregistration.v1.Mutation', 'One change of an object.', {
  applyConfiguration: as(ApplyConfiguration, 'The change, when patchType is ApplyConfiguration.'),
  jsonPatch: as(JSONPatch, 'The change, when patchType is JSONPatch.'),
  patchType: oneOf(['ApplyConfiguration', 'JSONPatch'], 'How the change is said.'),
}, ['patchType']);
export type Mutation = Static<typeof Mutation>;

export const MutatingAdmissionPolicySpec = object('admissionregistration.v1.MutatingAdmissionPolicySpec', 'Which requests a policy is about and how it changes their objects.', {
  failurePolicy,
  matchConditions,
  matchConstraints: as(MatchResources, 'Requests that the policy is about; it must be there.'),
  mutations: list(Mutation, 'The changes, one after the other; there is at least one.', { listType: 'atomic' }),
  paramKind: as(ParamKind, 'Kind of the objects that parametrize the policy; absent means that it has no parameters.'),
  reinvocationPolicy: oneOf(['Never', 'IfNeeded'], 'Whether the changes are made once more when others have changed the object after them. It must be said.'),
  variables: list(Variable, 'Values that expressions can use; each may use those before it.', { listType: 'atomic' }),
});
export type MutatingAdmissionPolicySpec = Static<typeof MutatingAdmissionPolicySpec>;

const schema = topLevel('admissionregistration.v1.MutatingAdmissionPolicy', 'Changes, in CEL, of the objects of requests; bindings put them into force.', {
  spec: as(MutatingAdmissionPolicySpec, 'Which requests the policy is about and how it changes their objects.'),
});

export const MutatingAdmissionPolicy = defineKind(schema, {
  group: 'admissionregistration.k8s.io', version: 'v1', kind: 'MutatingAdmissionPolicy', plural: 'mutatingadmissionpolicies', scope: 'Cluster',
  updateNamesVersion: true,
  columns: [
    nameColumn,
    column('Mutations', 'Number of changes.', ({ spec }) => spec?.mutations?.length ?? 0, { type: 'integer' }),
    column('ParamKind', 'Kind of the objects that parametrize the policy.', ({ spec }) => (spec?.paramKind === undefined ? '<unset>' : `${spec.paramKind.apiVersion ?? ''}/${spec.paramKind.kind ?? ''}`)),
    ageColumn,
  ],
  validate: ({ spec }) => validateMutatingPolicy(spec ?? {}),
});
export type MutatingAdmissionPolicy = BodyOf<typeof MutatingAdmissionPolicy>;
