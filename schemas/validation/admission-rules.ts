/** Rules for what webhooks and admission policies are about: operations, resources, conditions. */
import { duplicate, refused, required, tooMany, unsupported, wrong, type FieldError } from '../errors.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotPathSegment, whyNotQualifiedName } from '../names.ts';
import type { MatchCondition, MatchResources, NamedRuleWithOperations, RuleWithOperations } from '../types/admission-rules.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

/** Conditions of one webhook or policy; Kubernetes' limit. */
const maxConditions = 64;

const notBesideAll = (values: readonly string[], field: string, what: string): readonly FieldError[] =>
  (values.length > 1 && values.includes('*') ? [wrong(field, values, `if '*' is present, must not specify other ${what}`)] : []);

/** A resource or subresource beside one that covers it already is a mistake. */
const validateResources = (resources: readonly string[], field: string): readonly FieldError[] => {
  if (resources.length === 0) return [required(field)];
  const errors: FieldError[] = [];
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  for (const [index, text] of resources.entries()) {
    const at = `${field}[${index}]`;
    if (text === '') {
      errors.push(required(at));
      continue;
    }
    const slash = text.indexOf('/');
    if (slash < 0 || text === '*/*') continue;
    const [resource, sub] = [text.slice(0, slash), text.slice(slash + 1)];
    if (wholeResources.has(resource)) errors.push(wrong(at, text, `if '${resource}/*' is present, must not specify ${text}`));
    if (wholeSubresources.has(sub)) errors.push(wrong(at, text, `if '*/${sub}' is present, must not specify ${text}`));
    if (sub === '*') wholeResources.add(resource);
    if (resource === '*') wholeSubresources.add(sub);
  }
  if (resources.length > 1 && resources.includes('*/*')) errors.push(wrong(field, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && resources.some((text) => text !== '*' && !text.includes('/'))) {
    errors.push(wrong(field, resources, "if '*' is present, must not specify other resources without subresources"));
  }
  return errors;
};

/** Every wrong field of a rule. */
export const validateRule = (rule: RuleWithOperations, field: string): readonly FieldError[] => {
  const { operations: chosen = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  return [
    ...(chosen.length === 0 ? [required(`${field}.operations`)] : notBesideAll(chosen, `${field}.operations`, 'operations')),
    ...chosen.flatMap((one, index) => (operations.includes(one) ? [] : [unsupported(`${field}.operations[${index}]`, one, operations)])),
    ...(apiGroups.length === 0 ? [required(`${field}.apiGroups`)] : notBesideAll(apiGroups, `${field}.apiGroups`, 'API groups')),
    ...(apiVersions.length === 0 ? [required(`${field}.apiVersions`)] : notBesideAll(apiVersions, `${field}.apiVersions`, 'API versions')),
    ...apiVersions.flatMap((version, index) => (version === '' ? [required(`${field}.apiVersions[${index}]`)] : [])),
    ...validateResources(resources, `${field}.resources`),
  ];
};

const validateNamedRule = (rule: NamedRuleWithOperations, field: string): readonly FieldError[] => {
  const { resourceNames: names = [] } = rule;
  return [
    ...names.flatMap((name, index) => [
      ...refused(`${field}.resourceNames[${index}]`, name, whyNotPathSegment(name)),
      ...(names.indexOf(name) < index ? [duplicate(`${field}.resourceNames[${index}]`, name)] : []),
    ]),
    ...validateRule(rule, field),
  ];
};

/** Every wrong field of the requests that a policy is about. */
export const validateMatchResources = (match: MatchResources, field: string): readonly FieldError[] => [
  ...validateLabelSelector(match.namespaceSelector, `${field}.namespaceSelector`),
  ...validateLabelSelector(match.objectSelector, `${field}.objectSelector`),
  ...(match.resourceRules ?? []).flatMap((rule, index) => validateNamedRule(rule, `${field}.resourceRules[${index}]`)),
  ...(match.excludeResourceRules ?? []).flatMap((rule, index) => validateNamedRule(rule, `${field}.excludeResourceRules[${index}]`)),
];

/** Every wrong condition; their names are unique by the schema. */
export const validateMatchConditions = (conditions: readonly MatchCondition[], field: string): readonly FieldError[] => [
  ...conditions.flatMap(({ name, expression }, index) => [
    ...(expression.trim() === '' ? [required(`${field}[${index}].expression`)] : []),
    ...(name === '' ? [required(`${field}[${index}].name`)] : refused(`${field}[${index}].name`, name, whyNotQualifiedName(name))),
  ]),
  ...(conditions.length > maxConditions ? [tooMany(field, conditions.length, maxConditions)] : []),
];
