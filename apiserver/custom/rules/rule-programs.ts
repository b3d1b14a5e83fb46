/** Rules of a schema (x-kubernetes-validations), compiled when they are first needed and kept with the schema. */
import type { CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import type { ValidationRule } from '../../../schemas/types/json-schema-props.ts';
import { celEnvironment, compileCel, type CelEnvironment, type CelProgram } from '../../cel/cel.ts';
import { optionalOf, type CelType } from '../../cel/types.ts';
import { ruleType } from './rule-types.ts';

export interface RuleProgram {
  readonly rule: ValidationRule;
  readonly program: CelProgram;
  /** True for a rule about a change, which needs an old value. */
  readonly usesOld: boolean;
  /** Throws like `program` does. */
  readonly message: CelProgram | undefined;
}

export interface CompiledExpression {
  readonly program: CelProgram;
  readonly usesOld: boolean;
}

/** What rules about a value of a type can see. */
export const ruleEnvironment = (self: CelType, { optionalOldSelf = false }: Pick<ValidationRule, 'optionalOldSelf'>): CelEnvironment =>
  celEnvironment({ variables: { self, oldSelf: optionalOldSelf ? optionalOf(self) : self } });

/** Compiles an expression over self and, where it names it, oldSelf. Throws CelCompileError. */
export const compileRule = (expression: string, self: CelType, rule: Pick<ValidationRule, 'optionalOldSelf'>): CompiledExpression => {
  const both = { program: compileCel(expression, ruleEnvironment(self, rule)), usesOld: true };
  if (!expression.includes('oldSelf')) return { ...both, usesOld: false };
  try {
    // The word may stand in a text or be a variable of a macro.
    return { program: compileCel(expression, celEnvironment({ variables: { self } })), usesOld: false };
  } catch {
    return both;
  }
};

const compiled = new WeakMap<CustomSchema, readonly RuleProgram[]>();

/** The programs of the rules that stand at a schema itself. Throws CelCompileError for rules that were never checked. */
export const ruleProgramsOf = (schema: CustomSchema, { whole }: { readonly whole: boolean }): readonly RuleProgram[] => {
  const rules = schema['x-kubernetes-validations'];
  if (rules === undefined) return [];
  let programs = compiled.get(schema);
  if (programs === undefined) {
    const self = ruleType(schema, 'self', { whole });
    programs = rules.map((rule) => ({
      rule, ...compileRule(rule.rule, self, rule),
      message: (rule.messageExpression ?? '') === '' ? undefined : compileRule(rule.messageExpression!, self, rule).program,
    }));
    compiled.set(schema, programs);
  }
  return programs;
};
