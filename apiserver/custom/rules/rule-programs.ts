/** Rules of a schema (x-kubernetes-validations), compiled when they are first needed and kept with the schema. */
import type { CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import type { ValidationRule } from '../../../schemas/types/json-schema-props.ts';
import { celEnvironment, checkCel, type CelProgram, type CheckedCel } from '../../cel/cel.ts';
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

export interface CheckedExpression {
  readonly checked: CheckedCel;
  readonly usesOld: boolean;
}

/** Reads an expression over self and, where it names it, oldSelf. Throws CelCompileError. */
export const checkedExpression = (expression: string, self: CelType, { optionalOldSelf = false }: Pick<ValidationRule, 'optionalOldSelf'>): CheckedExpression => {
  const old = optionalOldSelf ? optionalOf(self) : self;
  const both = { checked: checkCel(expression, celEnvironment({ variables: { self, oldSelf: old } })), usesOld: true };
  if (!expression.includes('oldSelf')) return { ...both, usesOld: false };
  try {
    // The word may stand in a text or be a variable of a macro.
    return { checked: checkCel(expression, celEnvironment({ variables: { self } })), usesOld: false };
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
    programs = rules.map((rule) => {
      const { checked, usesOld } = checkedExpression(rule.rule, self, rule);
      const message = (rule.messageExpression ?? '') === '' ? undefined : checkedExpression(rule.messageExpression!, self, rule).checked.program();
      return { rule, program: checked.program(), usesOld, message };
    });
    compiled.set(schema, programs);
  }
  return programs;
};
