import { policyBindingColumns } from '../../columns/policy-binding-columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, list, object, string, type Static } from '../../schema.ts';
import { MatchResources, ParamRef } from '../../types/admission-rules.ts';
import { validatePolicyBinding, validateActions } from '../../validation/admission-policies.ts';

export const ValidatingAdmissionPolicyBindingSpec = object('admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec', 'Which policy is in force, for what, and how.', {
  matchResources: as(MatchResources, 'Requests, among those of the policy, for which it is in force; absent means all.'),
  paramRef: as(ParamRef, 'Objects that parametrize the policy.'),
  policyName: string('Name of the policy.'),
  validationActions: list(string('Deny, Warn or Audit.'), 'What happens to a request that fails: it is refused (Deny), answered with a warning (Warn) or noted (Audit).', { listType: 'set' }),
}, ['policyName', 'validationActions']);
export type ValidatingAdmissionPolicyBindingSpec = Static<typeof ValidatingAdmissionPolicyBindingSpec>;

const schema = topLevel('admissionregistration.v1.ValidatingAdmissionPolicyBinding', 'Puts a ValidatingAdmissionPolicy into force.', {
  spec: as(ValidatingAdmissionPolicyBindingSpec, 'Which policy, for what, and how.'),
}, ['spec']);

export const ValidatingAdmissionPolicyBinding = defineKind(schema, {
  group: 'admissionregistration.k8s.io', version: 'v1', kind: 'ValidatingAdmissionPolicyBinding', plural: 'validatingadmissionpolicybindings', scope: 'Cluster',
  updateNamesVersion: true,
  columns: policyBindingColumns,
  validate: ({ spec }) => [...validatePolicyBinding(spec), ...validateActions(spec.validationActions)],
});
export type ValidatingAdmissionPolicyBinding = BodyOf<typeof ValidatingAdmissionPolicyBinding>;
