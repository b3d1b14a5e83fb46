/** What is wrong with the expressions of a policy or a webhook: policies are stored only with such as can be run. */
import { wrong, type FieldError } from '../../../../schemas/errors.ts';
import type { MutatingAdmissionPolicySpec } from '../../../../schemas/kinds/admissionregistration/mutating-admission-policy.ts';
import type { ValidatingAdmissionPolicySpec } from '../../../../schemas/kinds/admissionregistration/validating-admission-policy.ts';
import type { MatchCondition } from '../../../../schemas/types/admission-rules.ts';
import type { CelEnvironment } from '../../../cel/cel.ts';
import type { CelType } from '../../../cel/types.ts';
import { compileOrExplain, conditionEnvironment } from '../expressions.ts';
import { expressionOf } from './mutating-policy.ts';
import { mayGive, policyEnvironment, type PolicyEnvironment, type PolicyWords } from './policy-expressions.ts';

interface Wanted {
  readonly field: string;
  readonly environment: CelEnvironment;
  readonly kinds: readonly CelType['kind'][];
  /** What it must evaluate to, in words. */
  readonly words: string;
}

const checked = (expression: string, { field, environment, kinds, words }: Wanted): readonly FieldError[] => {
  // An empty one is refused by other rules.
  if (expression.trim() === '') return [];
  const program = compileOrExplain(expression, environment);
  if (typeof program === 'string') return [wrong(field, expression, program)];
  return mayGive(program, ...kinds) ? [] : [wrong(field, expression, `must evaluate to ${words}`)];
};

const conditionErrors = (conditions: readonly MatchCondition[] | undefined, field: string, environment: CelEnvironment): readonly FieldError[] =>
  (conditions ?? []).flatMap(({ expression }, index) => checked(expression, { field: `${field}[${index}].expression`, environment, kinds: ['bool'], words: 'bool' }));

/** Every wrong condition of the webhooks of a configuration. */
export const webhookExpressionErrors = (webhooks: readonly { readonly matchConditions?: readonly MatchCondition[] | undefined }[]): readonly FieldError[] =>
  webhooks.flatMap(({ matchConditions }, index) => conditionErrors(matchConditions, `webhooks[${index}].matchConditions`, conditionEnvironment));

const commonErrors = ({ matchConditions, variables = [] }: PolicyWords, environment: PolicyEnvironment): readonly FieldError[] => [
  ...conditionErrors(matchConditions, 'spec.matchConditions', environment.conditions),
  ...environment.variables.flatMap(({ program }, index) => (typeof program === 'string' && variables[index]!.expression.trim() !== '' ? [wrong(`spec.variables[${index}].expression`, variables[index]!.expression, program)] : [])),
];

/** Every expression of a validating policy that cannot be run, for objects of a type where one is given. */
export const validatingExpressionErrors = (spec: ValidatingAdmissionPolicySpec, object?: CelType): readonly FieldError[] => {
  const environment = policyEnvironment(spec, { sort: 'validating', object });
  const { whole } = environment;
  return [
    ...commonErrors(spec, environment),
    ...(spec.validations ?? []).flatMap(({ expression, messageExpression = '' }, index) => [
      ...checked(expression, { field: `spec.validations[${index}].expression`, environment: whole, kinds: ['bool'], words: 'bool' }),
      ...checked(messageExpression, { field: `spec.validations[${index}].messageExpression`, environment: whole, kinds: ['string'], words: 'string' }),
    ]),
    ...(spec.auditAnnotations ?? []).flatMap(({ valueExpression }, index) =>
      checked(valueExpression, { field: `spec.auditAnnotations[${index}].valueExpression`, environment: whole, kinds: ['string', 'null'], words: 'string or null_type' })),
  ];
};

/** Every expression of a mutating policy that cannot be run. */
export const mutatingExpressionErrors = (spec: MutatingAdmissionPolicySpec): readonly FieldError[] => {
  const environment = policyEnvironment(spec, { sort: 'mutating' });
  return [
    ...commonErrors(spec, environment),
    ...(spec.mutations ?? []).flatMap((mutation, index) => (mutation.patchType === 'JSONPatch'
      ? checked(expressionOf(mutation), { field: `spec.mutations[${index}].jsonPatch.expression`, environment: environment.whole, kinds: ['list'], words: 'list(JSONPatch)' })
      : checked(expressionOf(mutation), { field: `spec.mutations[${index}].applyConfiguration.expression`, environment: environment.whole, kinds: ['struct'], words: 'Object' }))),
  ];
};
