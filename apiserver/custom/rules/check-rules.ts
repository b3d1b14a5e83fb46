/** What is wrong with the rules of a definition, before any object is held to them. */
import { customSchema, type CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import { deepEqual } from '../../../schemas/frozen.ts';
import { forbidden, required, unsupported, wrong, type FieldError } from '../../../schemas/errors.ts';
import type { CustomResourceDefinition } from '../../../schemas/types/custom-resource-definition.ts';
import type { ValidationRule } from '../../../schemas/types/json-schema-props.ts';
import type { CheckedCel } from '../../cel/cel.ts';
import { CelCompileError } from '../../cel/errors.ts';
import type { CelType } from '../../cel/types.ts';
import { declaredSizes, requestBytes, type PlaceSize } from './declared-sizes.ts';
import { hasRules } from './evaluate-rules.ts';
import { fieldPathOfRule } from './field-path-of-rule.ts';
import { once, VersionCost, type Repetition } from './rule-costs.ts';
import { checkedExpression } from './rule-programs.ts';
import { ruleType } from './rule-types.ts';

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

const maxMessageBytes = 2_048;

/** The rules of one place. */
interface RulesAt {
  readonly schema: CustomSchema;
  readonly self: CelType;
  /** Whether an old value can be found for the values here. */
  readonly hasPast: boolean;
  /** Absent where costs do not count. */
  readonly costs?: PlaceCosts | undefined;
}

interface PlaceCosts {
  readonly version: VersionCost;
  readonly size: PlaceSize;
  readonly often: Repetition;
}

interface Wanted {
  readonly rule: ValidationRule;
  readonly field: string;
  readonly what: 'rule' | 'messageExpression';
}

/** A rule is evaluated wherever its place is, a message is made once. */
const costErrors = (checked: CheckedCel, { field, what }: Wanted, costs: PlaceCosts | undefined): readonly FieldError[] =>
  (costs === undefined ? [] : costs.version.add(field, what, checked.estimate(costs.size), what === 'rule' ? costs.often : once));

const expressionErrors = (expression: string, wanted: Wanted, { self, costs }: RulesAt): { readonly errors: readonly FieldError[]; readonly usesOld: boolean } => {
  const { rule, field, what } = wanted;
  try {
    const { checked, usesOld } = checkedExpression(expression, self, rule);
    const kind = what === 'rule' ? 'bool' : 'string';
    const fits = checked.type.kind === kind || checked.type.kind === 'dyn';
    return { usesOld, errors: fits ? costErrors(checked, wanted, costs) : [wrong(field, expression, `must evaluate to a ${kind}`)] };
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return { usesOld: false, errors: [wrong(field, expression, `compilation failed: ${error.message}`)] };
  }
};

const checkRule = (rule: ValidationRule, place: RulesAt, field: string): readonly FieldError[] => {
  const { schema, hasPast } = place;
  const { message = '', messageExpression = '', fieldPath = '', reason = '' } = rule;
  const errors: FieldError[] = [];
  if (rule.rule.trim() === '') {
    errors.push(required(`${field}.rule`, 'rule is not specified'));
  } else {
    const { errors: found, usesOld } = expressionErrors(rule.rule, { rule, field: `${field}.rule`, what: 'rule' }, place);
    errors.push(...found);
    if (usesOld && !hasPast) errors.push(wrong(`${field}.rule`, rule.rule, 'oldSelf cannot be used where items have no key by which the old one could be found: in a list that is not of type map'));
    if (!usesOld && rule.optionalOldSelf !== undefined && found.length === 0) errors.push(wrong(`${field}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  }
  if (rule.message !== undefined && message.trim() === '') errors.push(wrong(`${field}.message`, message, 'message must be non-empty if specified'));
  if (/[\r\n]/.test(message)) errors.push(wrong(`${field}.message`, message, 'message must not contain line breaks'));
  if (Buffer.byteLength(message) > maxMessageBytes) errors.push(wrong(`${field}.message`, message, `message must be no longer than ${maxMessageBytes} bytes`));
  if (/[\r\n]/.test(rule.rule) && message === '' && messageExpression === '') errors.push(required(`${field}.message`, 'message must be specified if rule contains line breaks'));
  if (rule.messageExpression !== undefined && messageExpression.trim() === '') errors.push(required(`${field}.messageExpression`, 'messageExpression must be non-empty if specified'));
  if (messageExpression.trim() !== '') errors.push(...expressionErrors(messageExpression, { rule, field: `${field}.messageExpression`, what: 'messageExpression' }, place).errors);
  if (reason !== '' && !reasons.includes(reason)) errors.push(unsupported(`${field}.reason`, reason, reasons));
  if (fieldPath !== '' && fieldPathOfRule(fieldPath, schema) === undefined) errors.push(wrong(`${field}.fieldPath`, fieldPath, 'fieldPath must be a valid path to a field of the schema, such as .size or [\'a.b\']'));
  return errors;
};

interface Place {
  readonly schema: CustomSchema;
  readonly at: string;
  /** Whether an old value can be found for the values here. */
  readonly hasPast: boolean;
  readonly whole: boolean;
  /** Absent where costs do not count. */
  readonly costs?: Costs | undefined;
}

/** What is needed to say what rules at a place cost. */
interface Costs {
  readonly version: VersionCost;
  readonly sizes: ReadonlyMap<CustomSchema, PlaceSize>;
  /** How often the place can be there; `times` is absent where nothing limits it but the size of a request. */
  readonly repeated: Partial<Repetition>;
}

/** The costs of what a list or map holds. */
const inside = (costs: Costs | undefined, schema: CustomSchema, limit: number | undefined): Costs | undefined => {
  if (costs === undefined) return undefined;
  const { times, wanting = [] } = costs.repeated;
  if (limit !== undefined) return { ...costs, repeated: times === undefined ? costs.repeated : { times: times * Math.max(0, limit), wanting } };
  const missing = costs.sizes.get(schema)?.wanting;
  return { ...costs, repeated: { wanting: missing === undefined ? wanting : [...wanting, missing] } };
};

const costsAt = (schema: CustomSchema, costs: Costs | undefined): PlaceCosts | undefined => {
  const size = costs?.sizes.get(schema);
  if (costs === undefined || size === undefined) return undefined;
  return { version: costs.version, size, often: { times: Math.floor(requestBytes / (size.leastBytes + 1)), wanting: [], ...costs.repeated } };
};

const checkPlace = ({ schema, at, hasPast, whole, costs }: Place): readonly FieldError[] => {
  const rules = schema['x-kubernetes-validations'] ?? [];
  const field = `${at}.x-kubernetes-validations`;
  const isFree = schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true;
  const place: RulesAt | undefined = rules.length === 0 || isFree ? undefined : { schema, self: ruleType(schema, 'self', { whole }), hasPast, costs: costsAt(schema, costs) };
  return [
    ...(rules.length > 0 && isFree ? [forbidden(field, 'must not be there where nothing is known of the value: it has no type')] : []),
    ...(place === undefined ? [] : rules.flatMap((rule, index) => checkRule(rule, place, `${field}[${index}]`))),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => checkPlace({ schema: one, at: `${at}.properties[${name}]`, hasPast, whole: false, costs })),
    ...(schema.items === undefined ? [] : checkPlace({ schema: schema.items, at: `${at}.items`, hasPast: hasPast && schema['x-kubernetes-list-type'] === 'map', whole: false, costs: inside(costs, schema, schema.maxItems) })),
    ...(schema.additionalProperties === undefined ? [] : checkPlace({ schema: schema.additionalProperties, at: `${at}.additionalProperties`, hasPast, whole: false, costs: inside(costs, schema, schema.maxProperties) })),
  ];
};

const versionErrors = ({ schema }: CustomResourceDefinition['spec']['versions'][number], field: string, { costsCount }: { readonly costsCount: boolean }): readonly FieldError[] => {
  if (schema?.openAPIV3Schema === undefined) return [];
  const whole = customSchema(schema.openAPIV3Schema);
  const version = new VersionCost();
  const costs: Costs | undefined = costsCount && hasRules(whole) ? { version, sizes: declaredSizes(whole), repeated: once } : undefined;
  return [...checkPlace({ schema: whole, at: field, hasPast: true, whole: true, costs }), ...version.errors(field)];
};

/** Every wrong rule of all versions. A version that was there with this very schema may cost what it does. */
export const definitionRuleErrors = ({ spec }: CustomResourceDefinition, old?: CustomResourceDefinition): readonly FieldError[] =>
  spec.versions.flatMap((version, index) => {
    const before = old?.spec.versions.find(({ name }) => name === version.name);
    const costsCount = before === undefined || !deepEqual(before.schema, version.schema);
    return versionErrors(version, `spec.versions[${index}].schema.openAPIV3Schema`, { costsCount });
  });
