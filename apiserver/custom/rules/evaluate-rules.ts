/**
 * Evaluates the rules in CEL of a schema over an object: at each level, each with the value there and, for rules about
 * changes, with what the value was. Items of lists are the same as before where they have the same keys; items of other
 * lists have no past. Rules that do not look at the past pass where nothing has changed, so that a rule that was made
 * stricter does not keep people from changing the rest of an object.
 */
import type { CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import type { CauseType, FieldError } from '../../../schemas/errors.ts';
import { joinPath } from '../../../schemas/field-path.ts';
import { deepEqual } from '../../../schemas/frozen.ts';
import { CelBudget } from '../../cel/budget.ts';
import { CelBudgetExceeded, CelCompileError, CelError } from '../../cel/errors.ts';
import { fromJson } from '../../cel/json.ts';
import { CelOptional } from '../../cel/values.ts';
import { ruleType } from './rule-types.ts';
import { fieldPathOfRule } from './field-path-of-rule.ts';
import { ruleProgramsOf, type RuleProgram } from './rule-programs.ts';

/** What one rule, and all rules of one write together, may cost: at most about 0.2 and 0.4 seconds. */
export const ruleBudget = 1_000_000;
export const objectBudget = 2_000_000;

/** Longest message that an expression gives; Kubernetes' limit. */
const maxMessageLength = 5_120;

const known = new WeakMap<CustomSchema, boolean>();

/** Whether there are rules anywhere in a schema. */
export const hasRules = (schema: CustomSchema): boolean => {
  let answer = known.get(schema);
  if (answer === undefined) {
    answer = (schema['x-kubernetes-validations']?.length ?? 0) > 0 || Object.values(schema.properties ?? {}).some(hasRules)
      || (schema.items !== undefined && hasRules(schema.items)) || (schema.additionalProperties !== undefined && hasRules(schema.additionalProperties));
    known.set(schema, answer);
  }
  return answer;
};

interface Walk {
  readonly errors: FieldError[];
  /** What rules may still cost. */
  left: number;
}

interface Place {
  readonly schema: CustomSchema;
  readonly value: unknown;
  /** Undefined where there was nothing, or nothing that is known to be the same thing. */
  readonly old: unknown;
  readonly field: string;
  readonly whole: boolean;
}

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (members: unknown, name: string): unknown => (isObject(members) && Object.hasOwn(members, name) ? members[name] : undefined);

const words: Readonly<Record<string, readonly [reason: CauseType, before: (type: string) => string]>> = {
  FieldValueInvalid: ['FieldValueInvalid', (type) => `Invalid value: "${type}": `], FieldValueForbidden: ['FieldValueForbidden', () => 'Forbidden: '],
  FieldValueRequired: ['FieldValueRequired', () => 'Required value: '], FieldValueDuplicate: ['FieldValueDuplicate', (type) => `Duplicate value: "${type}": `],
};

const bindingsOf = ({ rule, usesOld }: RuleProgram, { value, old, schema, whole }: Place): Members => {
  if (!usesOld) return { self: value };
  if (rule.optionalOldSelf !== true) return { self: value, oldSelf: old };
  return { self: value, oldSelf: old === undefined ? CelOptional.none : new CelOptional(fromJson(old, ruleType(schema, 'self', { whole }))) };
};

const refuse = (walk: Walk, program: RuleProgram, place: Place, budget: CelBudget): void => {
  const { rule, message } = program;
  let text = rule.message ?? '';
  if (message !== undefined) {
    try {
      const said = message.evaluate(bindingsOf(program, place), budget);
      if (typeof said === 'string' && said.trim() !== '' && !/[\r\n]/.test(said) && said.length <= maxMessageLength) text = said.trim();
    } catch (error) {
      // The message that is written down, or the rule itself, says it then.
      if (!(error instanceof CelError) && !(error instanceof CelBudgetExceeded)) throw error;
    }
  }
  const [reason, before] = words[rule.reason ?? 'FieldValueInvalid'] ?? words['FieldValueInvalid']!;
  const within = (rule.fieldPath ?? '') === '' ? '' : fieldPathOfRule(rule.fieldPath!, place.schema) ?? '';
  walk.errors.push({ reason, field: `${place.field}${place.field === '' ? within.replace(/^\./, '') : within}`, message: `${before(place.schema.type ?? 'any')}${text === '' ? `failed rule: ${rule.rule}` : text}` });
};

const failed = (walk: Walk, { rule }: RuleProgram, { field, schema }: Place, why: string): void => {
  walk.errors.push({ reason: 'FieldValueInvalid', field, message: `Invalid value: "${schema.type ?? 'any'}": the rule ${JSON.stringify(rule.rule)} could not be evaluated: ${why}` });
};

const evaluate = (walk: Walk, program: RuleProgram, place: Place): void => {
  const { usesOld, rule } = program;
  if (usesOld && place.old === undefined && rule.optionalOldSelf !== true) return;
  if (!usesOld && place.old !== undefined && deepEqual(place.value, place.old)) return;
  const limit = Math.min(ruleBudget, walk.left);
  const budget = new CelBudget(limit);
  try {
    const outcome = program.program.evaluate(bindingsOf(program, place), budget);
    if (outcome !== true) refuse(walk, program, place, budget);
  } catch (error) {
    if (error instanceof CelError) failed(walk, program, place, error.message);
    else if (error instanceof CelBudgetExceeded) failed(walk, program, place, limit < ruleBudget ? 'the rules of the object together cost too much' : 'it costs too much for the size of this value');
    else throw error;
  }
  walk.left -= limit - Math.max(0, budget.left);
};

const keyOf = (keys: readonly string[], item: unknown): string => JSON.stringify(keys.map((key) => own(item, key) ?? null));

const walkItems = (walk: Walk, { schema, value, old, field }: Place): void => {
  const { items } = schema;
  if (items === undefined || !Array.isArray(value)) return;
  const keys = schema['x-kubernetes-list-type'] === 'map' ? schema['x-kubernetes-list-map-keys'] ?? [] : undefined;
  const before = new Map(keys === undefined || !Array.isArray(old) ? [] : old.map((item: unknown) => [keyOf(keys, item), item] as const));
  for (const [index, item] of value.entries()) walkPlace(walk, { schema: items, value: item, old: keys === undefined ? undefined : before.get(keyOf(keys, item)), field: `${field}[${index}]`, whole: false });
};

const walkPlace = (walk: Walk, place: Place): void => {
  const { schema, value, old, field, whole } = place;
  if (value === undefined || value === null || !hasRules(schema)) return;
  for (const program of ruleProgramsOf(schema, { whole })) evaluate(walk, program, { ...place, old: old ?? undefined });
  walkItems(walk, place);
  if (!isObject(value)) return;
  const { properties = {}, additionalProperties: values } = schema;
  for (const [name, one] of Object.entries(properties)) walkPlace(walk, { schema: one, value: own(value, name), old: own(old, name), field: joinPath(field, name), whole: false });
  if (values === undefined) return;
  for (const [name, one] of Object.entries(value)) if (!Object.hasOwn(properties, name)) walkPlace(walk, { schema: values, value: one, old: own(old, name), field: `${field}[${name}]`, whole: false });
};

/** What the rules of a schema have against an object that fits it; `old` is what it was before an update. */
export const ruleErrors = (schema: CustomSchema, object: unknown, old: unknown): readonly FieldError[] => {
  if (!hasRules(schema)) return [];
  const walk: Walk = { errors: [], left: objectBudget };
  try {
    walkPlace(walk, { schema, value: object, old, field: '', whole: true });
  } catch (error) {
    // Definitions are checked when they are written; one that was stored past that says so here.
    if (!(error instanceof CelCompileError)) throw error;
    walk.errors.push({ reason: 'FieldValueInvalid', field: '', message: `Invalid value: "object": a rule of the definition cannot be compiled: ${error.message}` });
  }
  return walk.errors;
};
