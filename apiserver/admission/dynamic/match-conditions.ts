/** Conditions in CEL that a request must meet for somebody to be asked about it. */
import type { MatchCondition } from '../../../schemas/types/admission-rules.ts';
import { CelBudget } from '../../cel/budget.ts';
import type { CelEnvironment, CelProgram } from '../../cel/cel.ts';
import { CelBudgetExceeded, CelError } from '../../cel/errors.ts';
import { compileOrExplain } from './expressions.ts';

/** What all conditions of one webhook or policy may cost for one request. */
const conditionsBudget = 500_000;

/** Says for the bindings of a request whether all conditions hold; throws an Error that says which one could not be told. */
export type Conditions = (bindings: Readonly<Record<string, unknown>>) => boolean;

const always: Conditions = () => true;

/** One that is false decides, whatever the others say. */
export const compileConditions = (conditions: readonly MatchCondition[] | undefined, environment: CelEnvironment): Conditions => {
  if (conditions === undefined || conditions.length === 0) return always;
  const programs = conditions.map(({ name, expression }) => ({ name, program: compileOrExplain(expression, environment) }));
  return (bindings) => {
    const budget = new CelBudget(conditionsBudget);
    const failures: string[] = [];
    for (const { name, program } of programs) {
      const value = typeof program === 'string' ? program : outcome(program, bindings, budget);
      if (value === false) return false;
      if (value !== true) failures.push(`${name}: ${value}`);
    }
    if (failures.length > 0) throw new Error(`match condition ${failures.join(', ')}`);
    return true;
  };
};

/** True or false, or why neither. */
const outcome = (program: CelProgram, bindings: Readonly<Record<string, unknown>>, budget: CelBudget): boolean | string => {
  try {
    const value = program.evaluate(bindings, budget);
    return typeof value === 'boolean' ? value : 'the expression gave neither true nor false';
  } catch (error) {
    if (error instanceof CelError || error instanceof CelBudgetExceeded) return error.message;
    throw error;
  }
};
