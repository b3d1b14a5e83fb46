import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int64, list, object, oneOf, string, type Static } from '../../schema.ts';
import { failurePolicy, matchConditions, MatchResources, ParamKind, Variable } from '../../types/admission-rules.ts';
import { Condition } from '../../types/condition.ts';
import { validateValidatingPolicy } from '../../validation/admission-policies.ts';

export const AuditAnnotation = object('admissionregistration.v1.AuditAnnotation', 'Something that the audit log is to say about a request.', {
  key: string('Key of the annotation; the name of the policy is put before it.'),
  valueExpression: string('Value of the annotation, in CEL; none where it gives null or an empty text.'),
}, ['key', 'valueExpression']);
export type AuditAnnotation = Static<typeof AuditAnnotation>;

export const Validation = object('admissionregistration.v1.Validation', 'A condition that objects must meet.', {
  expression: string('The condition, in CEL; must give true or false.'),
  message: string('What to tell when the condition does not hold.'),
  messageExpression: string('What to tell, in CEL; goes before message.'),
  reason: oneOf(['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge'], 'Reason in the answer when the condition does not hold; Invalid where absent.'),
}, ['expression']);
export type Validation = Static<typeof Validation>;

export const ValidatingAdmissionPolicySpec = object('admissionregistration.v1.ValidatingAdmissionPolicySpec', 'Which requests a policy is about and what it wants of them.', {
  auditAnnotations: list(AuditAnnotation, 'What the audit log is to say, at most 20 annotations.', { listType: 'atomic' }),
  failurePolicy,
  matchConditions,
  matchConstraints: as(MatchResources, 'Requests that the policy is about; it must be there.'),
  paramKind: as(ParamKind, 'Kind of the objects that parametrize the policy; absent means that it has no parameters.'),
  validations: list(Validation, 'Conditions that objects must meet.', { listType: 'atomic' }),
  variables: list(Variable, 'Values that expressions can use; each may use those before it.', { mapKeys: ['name'], mergeKey: 'name' }),
});
export type ValidatingAdmissionPolicySpec = Static<typeof ValidatingAdmissionPolicySpec>;

export const ExpressionWarning = object('admissionregistration.v1.ExpressionWarning', 'Something about an expression that looks wrong.', {
  fieldRef: string('Path of the expression, such as spec.validations[0].expression.'),
  warning: string('What looks wrong.'),
}, ['fieldRef', 'warning']);
export type ExpressionWarning = Static<typeof ExpressionWarning>;

export const TypeChecking = object('admissionregistration.v1.TypeChecking', 'What a look at the types of the expressions has shown.', {
  expressionWarnings: list(ExpressionWarning, 'Expressions that look wrong.', { listType: 'atomic' }),
});
export type TypeChecking = Static<typeof TypeChecking>;

export const ValidatingAdmissionPolicyStatus = object('admissionregistration.v1.ValidatingAdmissionPolicyStatus', 'How a policy is.', {
  conditions: list(Condition, 'Aspects of the state.', { mapKeys: ['type'] }),
  observedGeneration: int64('Generation of the policy that the status is about.'),
  typeChecking: as(TypeChecking, 'What a look at the types of the expressions has shown.'),
});
export type ValidatingAdmissionPolicyStatus = Static<typeof ValidatingAdmissionPolicyStatus>;

const schema = topLevel('admissionregistration.v1.ValidatingAdmissionPolicy', 'Conditions, in CEL, that requests must meet; bindings put them into force.', {
  spec: as(ValidatingAdmissionPolicySpec, 'Which requests the policy is about and what it wants of them.'),
  status: as(ValidatingAdmissionPolicyStatus, 'How the policy is.'),
});

export const ValidatingAdmissionPolicy = defineKind(schema, {
  group: 'admissionregistration.k8s.io', version: 'v1', kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies', scope: 'Cluster',
  updateNamesVersion: true,
  statusKeeps: 'metadata',
  subresources: { status: true },
  columns: [
    nameColumn,
    column('Validations', 'Number of conditions.', ({ spec }) => spec?.validations?.length ?? 0, { type: 'integer' }),
    column('ParamKind', 'Kind of the objects that parametrize the policy.', ({ spec }) => (spec?.paramKind === undefined ? '<unset>' : `${spec.paramKind.apiVersion ?? ''}/${spec.paramKind.kind ?? ''}`)),
    ageColumn,
  ],
  initialStatus: () => ({}),
  validate: ({ metadata, spec }) => validateValidatingPolicy(metadata.name ?? '', spec ?? {}),
});
export type ValidatingAdmissionPolicy = BodyOf<typeof ValidatingAdmissionPolicy>;
