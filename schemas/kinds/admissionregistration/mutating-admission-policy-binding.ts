import { policyBindingColumns } from '../../columns/policy-binding-columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, object, string, type Static } from '../../schema.ts';
import { MatchResources, ParamRef } from '../../types/admission-rules.ts';
import { validatePolicyBinding } from '../../validation/admission-policies.ts';

export const MutatingAdmissionPolicyBindingSpec = object('admissionregistration.v1.MutatingAdmissionPolicyBindingSpec', 'Which policy is in force, and for what.', {
  matchResources: as(MatchResources, 'Requests, among those of the policy, for which it is in force; absent means all.'),
  paramRef: as(ParamRef, 'Objects that parametrize the policy.'),
  policyName: string('Name of the policy.'),
});
export type MutatingAdmissionPolicyBindingSpec = Static<typeof MutatingAdmissionPolicyBindingSpec>;

const schema = topLevel('admissionregistration.v1.MutatingAdmissionPolicyBinding', 'Puts a MutatingAdmissionPolicy into force.', {
  spec: as(MutatingAdmissionPolicyBindingSpec, 'Which policy, and for what.'),
});

export const MutatingAdmissionPolicyBinding = defineKind(schema, {
  group: 'admissionregistration.k8s.io', version: 'v1', kind: 'MutatingAdmissionPolicyBinding', plural: 'mutatingadmissionpolicybindings', scope: 'Cluster',
  updateNamesVersion: true,
  columns: policyBindingColumns,
  validate: ({ spec }) => validatePolicyBinding(spec ?? {}),
});
export type MutatingAdmissionPolicyBinding = BodyOf<typeof MutatingAdmissionPolicyBinding>;
