/** Rules for admission policies and their bindings. That expressions are right CEL is seen where they are compiled. */
import { duplicate, forbidden, refused, required, tooLong, unsupported, wrong, type FieldError } from '../errors.ts';
import type { Mutation, MutatingAdmissionPolicySpec } from '../kinds/admissionregistration/mutating-admission-policy.ts';
import type { AuditAnnotation, ValidatingAdmissionPolicySpec, Validation } from '../kinds/admissionregistration/validating-admission-policy.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotDns1035Label, whyNotDnsLabel, whyNotDnsSubdomain, whyNotQualifiedName } from '../names.ts';
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../types/admission-rules.ts';
import { validateMatchConditions, validateMatchResources } from './admission-rules.ts';

/** Limits of Kubernetes: annotations of a policy, and bytes of an expression that gives one. */
const maxAuditAnnotations = 20;
const maxValueExpressionBytes = 5 * 1024;

const isBlank = (text: string): boolean => text.trim() === '';

const validateParamKind = ({ apiVersion = '', kind = '' }: ParamKind, field: string): readonly FieldError[] => [
  ...(apiVersion === '' ? [required(`${field}.apiVersion`)] : apiVersion.split('/').length > 2 || apiVersion.split('/').includes('')
    ? [wrong(`${field}.apiVersion`, apiVersion, 'must be a version or a group and a version (for example v1 or apps/v1)')] : []),
  ...(kind === '' ? [required(`${field}.kind`)] : refused(`${field}.kind`, kind, whyNotDns1035Label(kind.toLowerCase()))),
];

const validateVariables = (variables: readonly Variable[], field: string): readonly FieldError[] =>
  variables.flatMap(({ name, expression }, index) => {
    const at = `${field}[${index}]`;
    return [
      ...(name === '' ? [required(`${at}.name`, 'name is not specified')]
        : /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? [] : [wrong(`${at}.name`, name, 'name is not a valid CEL identifier')]),
      ...(isBlank(expression) ? [required(`${at}.expression`, 'expression is not specified')] : []),
    ];
  });

interface Policy {
  readonly paramKind?: ParamKind | undefined;
  readonly matchConstraints?: MatchResources | undefined;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly variables?: readonly Variable[] | undefined;
}

const validatePolicy = ({ paramKind, matchConstraints, matchConditions = [], variables = [] }: Policy): readonly FieldError[] => [
  ...(paramKind === undefined ? [] : validateParamKind(paramKind, 'spec.paramKind')),
  ...(matchConstraints === undefined ? [required('spec.matchConstraints')] : validateMatchResources(matchConstraints, 'spec.matchConstraints')),
  ...(matchConstraints !== undefined && (matchConstraints.resourceRules ?? []).length === 0 ? [required('spec.matchConstraints.resourceRules')] : []),
  ...validateMatchConditions(matchConditions, 'spec.matchConditions'),
  ...validateVariables(variables, 'spec.variables'),
];

const validateValidation = ({ expression, message = '', messageExpression }: Validation, field: string): readonly FieldError[] => {
  const errors: FieldError[] = isBlank(expression) ? [required(`${field}.expression`, 'expression is not specified')] : [];
  if (message !== '' && isBlank(message)) errors.push(wrong(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (message.trim().includes('\n')) errors.push(wrong(`${field}.message`, message, 'message must not contain line breaks'));
  else if (message === '' && expression.trim().includes('\n') && (messageExpression ?? '') === '') {
    errors.push(required(`${field}.message`, 'message must be specified if expression contains line breaks'));
  }
  if (messageExpression !== undefined && messageExpression !== '' && isBlank(messageExpression)) errors.push(wrong(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  return errors;
};

const validateAnnotation = ({ key, valueExpression }: AuditAnnotation, field: string, policyName: string): readonly FieldError[] => [
  ...(key === '' ? [required(`${field}.key`, 'key is required')] : refused(`${field}.key`, key, whyNotQualifiedName(`${policyName || 'x'}/${key}`))),
  ...(isBlank(valueExpression) ? [required(`${field}.valueExpression`, 'valueExpression is required')] : []),
  ...(Buffer.byteLength(valueExpression) > maxValueExpressionBytes ? [tooLong(`${field}.valueExpression`, maxValueExpressionBytes)] : []),
];

/** Every wrong field of a validating policy. */
export const validateValidatingPolicy = (policyName: string, spec: ValidatingAdmissionPolicySpec): readonly FieldError[] => {
  const { validations = [], auditAnnotations = [] } = spec;
  const empty = validations.length === 0 && auditAnnotations.length === 0;
  const needed = 'validations or auditAnnotations must contain at least one item';
  return [
    ...validatePolicy(spec),
    ...(empty ? [required('spec.validations', needed), required('spec.auditAnnotations', needed)] : []),
    ...validations.flatMap((one, index) => validateValidation(one, `spec.validations[${index}]`)),
    ...(auditAnnotations.length > maxAuditAnnotations ? [wrong('spec.auditAnnotations', auditAnnotations.length, `must not have more than ${maxAuditAnnotations} auditAnnotations`)] : []),
    ...auditAnnotations.flatMap((one, index) => [
      ...validateAnnotation(one, `spec.auditAnnotations[${index}]`, policyName),
      ...(auditAnnotations.findIndex((other) => other.key === one.key) < index ? [duplicate(`spec.auditAnnotations[${index}].key`, one.key)] : []),
    ]),
  ];
};

const validateMutation = ({ patchType, applyConfiguration, jsonPatch }: Mutation, field: string): readonly FieldError[] => {
  const given = { ApplyConfiguration: applyConfiguration, JSONPatch: jsonPatch };
  const names = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;
  // An unknown patch type has been refused by the schema.
  if (!Object.hasOwn(given, patchType)) return [];
  const other = patchType === 'JSONPatch' ? 'ApplyConfiguration' : 'JSONPatch';
  const at = `${field}.${names[patchType]}`;
  const change = given[patchType];
  return [
    ...(change === undefined ? [required(at, `must be specified when patchType is ${patchType}`)]
      : isBlank(change.expression ?? '') ? [required(`${at}.expression`, 'expression is not specified')] : []),
    ...(given[other] === undefined ? [] : [wrong(`${field}.${names[other]}`, '{...}', `must not be specified when patchType is ${patchType}`)]),
  ];
};

/** Every wrong field of a mutating policy. */
export const validateMutatingPolicy = (spec: MutatingAdmissionPolicySpec): readonly FieldError[] => {
  const { mutations = [], variables = [] } = spec;
  return [
    ...validatePolicy(spec),
    ...variables.flatMap(({ name }, index) => (variables.findIndex((other) => other.name === name) < index ? [duplicate(`spec.variables[${index}].name`, name)] : [])),
    ...(mutations.length === 0 ? [required('spec.mutations', 'mutations must contain at least one item')] : []),
    ...mutations.flatMap((one, index) => validateMutation(one, `spec.mutations[${index}]`)),
    ...(spec.reinvocationPolicy === undefined ? [required('spec.reinvocationPolicy')] : []),
  ];
};

interface PolicyBinding {
  readonly policyName?: string | undefined;
  readonly paramRef?: ParamRef | undefined;
  readonly matchResources?: MatchResources | undefined;
}

const validateParamRef = ({ name = '', namespace = '', selector }: ParamRef, field: string): readonly FieldError[] => [
  ...(name === '' && selector === undefined ? [required(field, 'one of name or selector must be specified')] : []),
  ...(name !== '' && selector !== undefined ? [forbidden(`${field}.name`, 'name and selector are mutually exclusive'), forbidden(`${field}.selector`, 'name and selector are mutually exclusive')] : []),
  ...validateLabelSelector(selector, `${field}.selector`),
  ...(namespace === '' ? [] : refused(`${field}.namespace`, namespace, whyNotDnsLabel(namespace))),
];

/** Every wrong field of a binding, validating or mutating. */
export const validatePolicyBinding = ({ policyName = '', paramRef, matchResources }: PolicyBinding): readonly FieldError[] => [
  ...(policyName === '' ? [required('spec.policyName')] : refused('spec.policyName', policyName, whyNotDnsSubdomain(policyName))),
  ...(paramRef === undefined ? [] : validateParamRef(paramRef, 'spec.paramRef')),
  ...(matchResources === undefined ? [] : validateMatchResources(matchResources, 'spec.matchResources')),
];

const actions = ['Audit', 'Deny', 'Warn'];

/** What happens to a request that fails must be said, and not twice to the same client. */
export const validateActions = (chosen: readonly string[]): readonly FieldError[] => [
  ...(chosen.length === 0 ? [required('spec.validationActions', 'at least one validation action is required')] : []),
  ...chosen.flatMap((action, index) => (actions.includes(action) ? [] : [unsupported(`spec.validationActions[${index}]`, action, actions)])),
  ...(chosen.includes('Deny') && chosen.includes('Warn') ? [wrong('spec.validationActions', chosen, 'must not contain both Deny and Warn: the client would be told the same thing twice')] : []),
];
