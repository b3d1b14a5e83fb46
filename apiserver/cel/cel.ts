/**
 * CEL, the language in which policies and custom resources say what they want. An expression is parsed, its names and
 * types are checked, and it becomes a program that can be run on JSON as often as wanted, each time within a budget.
 */
import type { CelBudget } from './budget.ts';
import { check } from './check.ts';
import { compile } from './compile.ts';
import { CelCompileError } from './errors.ts';
import { estimate, type CostEstimate, type DeclaredSize } from './estimate/estimate.ts';
import { FunctionTable, type CelFunction } from './functions.ts';
import { library, typeNames } from './library/library.ts';
import { parse } from './parse.ts';
import type { CelType } from './types.ts';
import type { CelValue } from './values.ts';

export interface CelEnvironmentOptions {
  /** The variables that expressions may name, and their types. */
  readonly variables: Readonly<Record<string, CelType>>;
  /** Functions beside those of the library. */
  readonly functions?: readonly CelFunction[] | undefined;
  /** True for names of objects that expressions may make, such as Object.spec; none where absent. */
  readonly isStruct?: ((name: string) => boolean) | undefined;
  /** Whether lists and maps that are written out may hold values of several types; not so in Kubernetes. */
  readonly literals?: 'alike' | 'mixed' | undefined;
}

/** What expressions of one sort can see. It is made once and shared. */
export interface CelEnvironment {
  readonly variables: Readonly<Record<string, CelType>>;
  readonly functions: FunctionTable;
  readonly isStruct: (name: string) => boolean;
  readonly literals: 'alike' | 'mixed';
}

const standard = new FunctionTable(library);

/** An environment with all functions of the library. */
export const celEnvironment = ({ variables, functions = [], isStruct = () => false, literals = 'alike' }: CelEnvironmentOptions): CelEnvironment =>
  ({ variables, isStruct, literals, functions: functions.length === 0 ? standard : new FunctionTable([...library, ...functions]) });

export interface CelProgram {
  /** What it gives, as far as can be told beforehand; dyn for anything. */
  readonly type: CelType;
  /**
   * Runs it. Bindings are JSON (or values of CEL) by the names of variables. Throws CelError when the expression fails
   * and CelBudgetExceeded when it costs more than is left.
   */
  evaluate(bindings: Readonly<Record<string, unknown>>, budget: CelBudget): CelValue;
}

/** An expression whose names and types are right. */
export interface CheckedCel {
  readonly type: CelType;
  program(): CelProgram;
  /** The most that it can cost where its variables are as large as declared. */
  estimate(size: DeclaredSize): CostEstimate;
}

/** Throws CelCompileError, with message and place, for a text that is no expression, names what is not there or mixes types that do not fit. */
export const checkCel = (expression: string, { variables, functions, isStruct, literals }: CelEnvironment): CheckedCel => {
  const tree = parse(expression);
  const checked = check(tree, { variables, functions, isStruct, typeNames, mixedLiterals: literals === 'mixed' });
  if (checked.issues.length > 0) throw new CelCompileError(expression, checked.issues);
  return {
    type: checked.type,
    program: () => {
      const { step, slots } = compile(tree, { checked, variables });
      return { type: checked.type, evaluate: (bindings, budget) => step({ bindings, budget, slots: Array.from({ length: slots }) }) };
    },
    estimate: (size) => estimate(tree, checked, size),
  };
};

/** The program of an expression. Throws as checkCel does. */
export const compileCel = (expression: string, environment: CelEnvironment): CelProgram => checkCel(expression, environment).program();
