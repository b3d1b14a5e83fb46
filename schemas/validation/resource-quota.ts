import { refused, required, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement, ScopeSelector } from '../kinds/core/resource-quota.ts';
import { whyNotQualifiedName } from '../names.ts';
import { parseQuantity } from '../quantity.ts';

type Amounts = Readonly<Record<string, string>>;

const compute: ReadonlySet<string> = new Set([
  'cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'requests.memory', 'requests.ephemeral-storage', 'limits.cpu', 'limits.memory', 'limits.ephemeral-storage',
]);

/** Objects that are counted: always whole numbers. */
const counted: ReadonlySet<string> = new Set([
  'pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers',
]);

const isHugePages = (name: string): boolean => /^(requests\.)?hugepages-/.test(name);

const isStandard = (name: string): boolean => compute.has(name) || counted.has(name) || name === 'storage' || name === 'requests.storage' || isHugePages(name);

/** The rule for a name that a quota can limit: a standard one, `count/<resource>.<group>`, or one with a domain. */
export const whyNotQuotaResource = (name: string): string | undefined =>
  whyNotQualifiedName(name) ?? (name.includes('/') || isStandard(name) ? undefined : 'must be a standard resource for quota');

const isWhole = (name: string): boolean => counted.has(name) || name.startsWith('count/') || (name.includes('/') && !name.includes('kubernetes.io/'));

/** Amounts of a quota: names that can be limited, nothing below zero, objects counted in whole numbers. */
export const validateQuotaAmounts = (amounts: Amounts | undefined, field: string): readonly FieldError[] =>
  Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const at = `${field}[${name}]`;
    const quantity = parseQuantity(amount);
    return [
      ...refused(at, name, whyNotQuotaResource(name)),
      ...(quantity !== undefined && quantity.nano < 0n ? [wrong(at, amount, 'must be greater than or equal to 0')] : []),
      ...(quantity !== undefined && isWhole(name) && quantity.nano % 1_000_000_000n !== 0n ? [wrong(at, amount, 'must be an integer')] : []),
    ];
  });

const ofPods = (name: string): boolean => name === 'pods' || compute.has(name);

/** Which standard resources a scope can count; `undefined` for a scope that there is not. */
const scopeRules: Readonly<Record<string, (name: string) => boolean>> = {
  Terminating: ofPods, NotTerminating: ofPods, NotBestEffort: ofPods, PriorityClass: ofPods,
  BestEffort: (name) => name === 'pods',
  CrossNamespacePodAffinity: ofPods,
  VolumeAttributesClass: (name) => name === 'persistentvolumeclaims' || name === 'requests.storage',
};

const takesAll = (scope: string, hard: Amounts): boolean => Object.keys(hard).every((name) => !isStandard(name) || scopeRules[scope]?.(name) !== false);

const isScope = (scope: string): boolean => Object.hasOwn(scopeRules, scope);

const exclusive = [['BestEffort', 'NotBestEffort'], ['Terminating', 'NotTerminating']] as const;

const validateScopes = (scopes: readonly string[], hard: Amounts): readonly FieldError[] => {
  const field = 'spec.scopes';
  return [
    ...scopes.flatMap((scope) => (!isScope(scope) ? [wrong(field, scopes, 'unsupported scope')]
      : takesAll(scope, hard) ? [] : [wrong(field, scopes, 'unsupported scope applied to resource')])),
    ...exclusive.filter((pair) => pair.every((scope) => scopes.includes(scope))).map(() => wrong(field, scopes, 'conflicting scopes')),
  ];
};

const onlyExist: ReadonlySet<string> = new Set(['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']);

const validateRequirement = ({ scopeName, operator, values = [] }: ScopedResourceSelectorRequirement, hard: Amounts, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  if (!isScope(scopeName)) errors.push(wrong(`${field}.scopeName`, scopeName, 'unsupported scope'));
  else if (!takesAll(scopeName, hard)) errors.push(wrong(field, scopeName, 'unsupported scope applied to resource'));
  if (onlyExist.has(scopeName) && operator !== 'Exists') {
    errors.push(wrong(`${field}.operator`, operator, `must be 'Exists' when scope is any of ${[...onlyExist].join(', ')}`));
    return errors;
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(wrong(`${field}.values`, values, "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"));
  } else {
    errors.push(wrong(`${field}.operator`, operator, 'not a valid selector operator: must be In, NotIn, Exists or DoesNotExist'));
  }
  return errors;
};

const validateSelector = (selector: ScopeSelector | undefined, hard: Amounts): readonly FieldError[] => {
  const requirements = selector?.matchExpressions ?? [];
  const names = requirements.map(({ scopeName }) => scopeName);
  const field = 'spec.scopeSelector.matchExpressions';
  return [
    ...requirements.flatMap((one, index) => validateRequirement(one, hard, `${field}[${index}]`)),
    ...exclusive.filter((pair) => pair.every((scope) => names.includes(scope))).map(() => wrong(field, names, 'conflicting scopes')),
  ];
};

/** Every wrong field of a quota's spec. What it counts cannot change. */
export const validateResourceQuotaSpec = (spec: ResourceQuotaSpec, old: ResourceQuotaSpec | undefined): readonly FieldError[] => [
  ...validateQuotaAmounts(spec.hard, 'spec.hard'),
  ...validateScopes(spec.scopes ?? [], spec.hard ?? {}),
  ...validateSelector(spec.scopeSelector, spec.hard ?? {}),
  ...(old === undefined || deepEqual((spec.scopes ?? []).toSorted(), (old.scopes ?? []).toSorted()) ? [] : [wrong('spec.scopes', spec.scopes ?? [], 'field is immutable')]),
];
