/** What a pod says about its place: affinity, tolerations, topology spread. */
import { forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotLabelValue, whyNotQualifiedName } from '../names.ts';
import type { Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, Toleration, TopologySpreadConstraint } from '../types/affinity.ts';
import type { LabelSelector } from '../types/label-selector.ts';

/** What must hold is looked at more closely than what is wished: a value that no label can have would keep the pod from every node. */
type Strictness = 'must' | 'wish';

const validateExpression = ({ key, operator, values = [] }: NodeSelectorRequirement, field: string, strictness: Strictness): readonly FieldError[] => {
  const errors = [...refused(`${field}.key`, key, whyNotQualifiedName(key))];
  if (strictness === 'must') errors.push(...values.flatMap((value, index) => refused(`${field}.values[${index}]`, value, whyNotLabelValue(value))));
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator !== 'Gt' && operator !== 'Lt') {
    // The schema has refused the operator already.
    return errors;
  } else if (values.length !== 1) {
    errors.push(required(`${field}.values`, "must be a single value when `operator` is 'Lt' or 'Gt'"));
  } else if (!/^-?\d+$/.test(values[0] ?? '')) {
    errors.push(wrong(`${field}.values[0]`, values[0], "must be an integer when `operator` is 'Lt' or 'Gt'"));
  }
  return errors;
};

const validateFieldExpression = ({ key, operator, values = [] }: NodeSelectorRequirement, field: string): readonly FieldError[] => {
  if (key !== 'metadata.name') return [wrong(`${field}.key`, key, 'not a valid field selector key: must be metadata.name')];
  if (operator !== 'In' && operator !== 'NotIn') return [unsupported(`${field}.operator`, operator, ['In', 'NotIn'])];
  if (values.length !== 1) return [required(`${field}.values`, 'must be only one value when `operator` is In or NotIn for node field selector')];
  return refused(`${field}.values[0]`, values[0], whyNotDnsSubdomain(values[0] ?? ''));
};

const validateTerm = (term: NodeSelectorTerm, field: string, strictness: Strictness): readonly FieldError[] => [
  ...(term.matchExpressions ?? []).flatMap((one, index) => validateExpression(one, `${field}.matchExpressions[${index}]`, strictness)),
  ...(term.matchFields ?? []).flatMap((one, index) => validateFieldExpression(one, `${field}.matchFields[${index}]`)),
];

export const validateNodeSelector = (selector: NodeSelector, field: string): readonly FieldError[] =>
  selector.nodeSelectorTerms.flatMap((term, index) => validateTerm(term, `${field}.nodeSelectorTerms[${index}]`, 'must'));

const validateMatchKeys = (term: Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys'>, keys: readonly string[] | undefined, field: string): readonly FieldError[] => [
  ...(keys !== undefined && keys.length > 0 && term.labelSelector === undefined ? [forbidden(field, 'must not be specified when labelSelector is not set')] : []),
  ...(keys ?? []).flatMap((key, index) => refused(`${field}[${index}]`, key, whyNotQualifiedName(key))),
];

const validatePodTerm = (term: PodAffinityTerm, field: string): readonly FieldError[] => [
  ...validateLabelSelector(term.labelSelector, `${field}.labelSelector`),
  ...validateLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
  ...(term.namespaces ?? []).flatMap((one, index) => refused(`${field}.namespaces[${index}]`, one, whyNotDnsLabel(one))),
  ...refused(`${field}.topologyKey`, term.topologyKey, whyNotQualifiedName(term.topologyKey)),
  ...validateMatchKeys(term, term.matchLabelKeys, `${field}.matchLabelKeys`),
  ...validateMatchKeys(term, term.mismatchLabelKeys, `${field}.mismatchLabelKeys`),
  ...(term.matchLabelKeys ?? []).flatMap((key, index) => (term.mismatchLabelKeys?.includes(key) === true
    ? [wrong(`${field}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys')] : [])),
];

const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
const soft = 'preferredDuringSchedulingIgnoredDuringExecution';

const validatePodTerms = (affinity: Affinity['podAffinity'], field: string): readonly FieldError[] => [
  ...(affinity?.[hard] ?? []).flatMap((term, index) => validatePodTerm(term, `${field}.${hard}[${index}]`)),
  ...(affinity?.[soft] ?? []).flatMap((wish, index) => validatePodTerm(wish.podAffinityTerm, `${field}.${soft}[${index}].podAffinityTerm`)),
];

export const validateAffinity = (affinity: Affinity | undefined, field: string): readonly FieldError[] => {
  const node = affinity?.nodeAffinity;
  const needed = node?.[hard];
  return [
    ...(needed === undefined ? [] : validateNodeSelector(needed, `${field}.nodeAffinity.${hard}`)),
    ...(node?.[soft] ?? []).flatMap((wish, index) => validateTerm(wish.preference, `${field}.nodeAffinity.${soft}[${index}].preference`, 'wish')),
    ...validatePodTerms(affinity?.podAffinity, `${field}.podAffinity`),
    ...validatePodTerms(affinity?.podAntiAffinity, `${field}.podAntiAffinity`),
  ];
};

export const validateTolerations = (tolerations: readonly Toleration[] | undefined, field: string): readonly FieldError[] =>
  (tolerations ?? []).flatMap(({ key = '', operator = 'Equal', value = '', effect, tolerationSeconds }, index) => {
    const at = `${field}[${index}]`;
    const errors: FieldError[] = [];
    if (key !== '') errors.push(...refused(`${at}.key`, key, whyNotQualifiedName(key)));
    else if (operator !== 'Exists') errors.push(wrong(`${at}.operator`, operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'));
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') errors.push(wrong(`${at}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Exists' && value !== '') errors.push(wrong(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    if (operator === 'Equal') errors.push(...refused(`${at}.value`, value, whyNotLabelValue(value)));
    return errors;
  });

const selects = (selector: LabelSelector | undefined, key: string): boolean =>
  Object.hasOwn(selector?.matchLabels ?? {}, key) || selector?.matchExpressions?.some((one) => one.key === key) === true;

export const validateTopologySpread = (constraints: readonly TopologySpreadConstraint[] | undefined, field: string): readonly FieldError[] =>
  (constraints ?? []).flatMap((one, index) => {
    const at = `${field}[${index}]`;
    return [
      ...refused(`${at}.topologyKey`, one.topologyKey, whyNotQualifiedName(one.topologyKey)),
      ...(one.minDomains !== undefined && one.whenUnsatisfiable !== 'DoNotSchedule'
        ? [wrong(`${at}.minDomains`, one.minDomains, 'can only use minDomains if whenUnsatisfiable=DoNotSchedule')] : []),
      ...validateLabelSelector(one.labelSelector, `${at}.labelSelector`),
      ...validateMatchKeys(one, one.matchLabelKeys, `${at}.matchLabelKeys`),
      ...(one.matchLabelKeys ?? []).flatMap((key, place) => (selects(one.labelSelector, key) ? [wrong(`${at}.matchLabelKeys[${place}]`, key, 'exists in both matchLabelKeys and labelSelector')] : [])),
    ];
  });
