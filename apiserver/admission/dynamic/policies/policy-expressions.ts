/**
 * The expressions of a policy, compiled once for each version of it. A policy is stored only if they compile (see
 * expression-checks.ts); should one not do so nevertheless, because the server has changed, it fails when it is needed.
 */
import type { MatchCondition, Variable } from '../../../../schemas/types/admission-rules.ts';
import { CelBudget } from '../../../cel/budget.ts';
import { celEnvironment, type CelEnvironment, type CelProgram } from '../../../cel/cel.ts';
import { CelBudgetExceeded, CelError } from '../../../cel/errors.ts';
import { celFunction, type CelFunction } from '../../../cel/functions.ts';
import { authorizerFunctions } from '../../../cel/library/authorizer.ts';
import { dyn, type CelField, type CelType } from '../../../cel/types.ts';
import { LazyMap, type CelValue } from '../../../cel/values.ts';
import { namespaceKey } from '../../../keys.ts';
import type { WatchCache } from '../../../watch/watch-cache.ts';
import type { Authorizer } from '../../../authorization/authorizer.ts';
import { compileOrExplain, conditionVariables, requestBindings } from '../expressions.ts';
import type { View } from '../subject.ts';

/** What all expressions of one policy may cost for one request and one parameter. */
const policyBudget = 2_000_000;

/** Objects that mutations make. */
export const isMutationStruct = (name: string): boolean => name === 'JSONPatch' || name === 'Object' || name.startsWith('Object.');

const escapeKey: CelFunction = celFunction('jsonpatch::escapeKey(string): string', (text: string, budget: CelBudget) => {
  budget.spendText(text.length);
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
});

const validating = celEnvironment({ variables: {}, functions: authorizerFunctions });
const mutating = celEnvironment({ variables: {}, functions: [...authorizerFunctions, escapeKey], isStruct: isMutationStruct });

export interface PolicyWords {
  readonly paramKind?: unknown;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly variables?: readonly Variable[] | undefined;
}

export interface CompiledVariable {
  readonly name: string;
  readonly program: CelProgram | string;
}

export interface PolicyEnvironment {
  /** What conditions see: all but variables. */
  readonly conditions: CelEnvironment;
  /** What variables, validations, messages and mutations see. */
  readonly whole: CelEnvironment;
  readonly variables: readonly CompiledVariable[];
}

export interface EnvironmentOptions {
  readonly sort: 'validating' | 'mutating';
  /** The type of `object` and `oldObject`, where it is known. */
  readonly object?: CelType | undefined;
}

/** Each variable sees those before it. */
export const policyEnvironment = ({ paramKind, variables = [] }: PolicyWords, { sort, object = dyn }: EnvironmentOptions): PolicyEnvironment => {
  const base = sort === 'validating' ? validating : mutating;
  const seen = { ...conditionVariables, object, oldObject: object, namespaceObject: dyn, ...(paramKind === undefined ? {} : { params: dyn }) };
  const fields = new Map<string, CelField>();
  const withVariables = (): CelEnvironment => ({ ...base, variables: { ...seen, variables: { kind: 'object', name: 'kubernetes.variables', fields: new Map(fields) } } });
  const compiled = variables.map(({ name, expression }) => {
    const program = compileOrExplain(expression, withVariables());
    fields.set(name, { jsonName: name, type: typeof program === 'string' ? dyn : program.type });
    return { name, program };
  });
  return { conditions: { ...base, variables: seen }, whole: withVariables(), variables: compiled };
};

export interface Evaluation {
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly budget: CelBudget;
}

export interface EvaluationOptions {
  readonly cache: Pick<WatchCache, 'get'>;
  readonly authorizer: Authorizer;
  readonly params: unknown;
}

/** What the expressions of a policy see of one request. A variable is worked out when it is first used. */
export const evaluationOf = ({ variables }: Pick<PolicyEnvironment, 'variables'>, view: View, { cache, authorizer, params }: EvaluationOptions, budget = new CelBudget(policyBudget)): Evaluation => {
  const { namespace } = view.subject;
  const bindings: Record<string, unknown> = {
    ...requestBindings(view, authorizer), params: params ?? null, namespaceObject: namespace === '' ? null : cache.get(namespaceKey(namespace)) ?? null,
  };
  const makers = variables.map(({ name, program }) => [name, (): CelValue => {
    if (typeof program === 'string') throw new CelError(program);
    return program.evaluate(bindings, budget);
  }] as const);
  bindings['variables'] = new LazyMap(new Map(makers));
  return { bindings, budget };
};

/** The value, or why there is none. */
export const evaluated = (program: CelProgram | string, { bindings, budget }: Evaluation): { readonly value: CelValue } | { readonly failure: string } => {
  if (typeof program === 'string') return { failure: program };
  try {
    return { value: program.evaluate(bindings, budget) };
  } catch (error) {
    if (error instanceof CelError || error instanceof CelBudgetExceeded) return { failure: error.message };
    throw error;
  }
};

/** True where a program may give a value of one of the types. */
export const mayGive = ({ type }: CelProgram, ...wanted: readonly CelType['kind'][]): boolean => type.kind === 'dyn' || wanted.includes(type.kind);
