import { duplicate, forbidden, required, wrong, type FieldError } from '../errors.ts';
import type { LimitRangeItem } from '../kinds/core/limit-range.ts';
import { whyNotContainerResource, whyNotQualifiedName } from '../names.ts';
import { parseQuantity, type Quantity } from '../quantity.ts';
import { whyNotQuotaResource } from './resource-quota.ts';
import { validateAmounts } from './resources.ts';

const types: ReadonlySet<string> = new Set(['Container', 'Pod', 'PersistentVolumeClaim']);

const whyNotType = (type: string): string | undefined =>
  whyNotQualifiedName(type) ?? (types.has(type) || type.includes('/') ? undefined : 'must be a standard limit type or fully qualified');

type Amounts = 'min' | 'max' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio';

/** Pairs of which the first may not pass the second; the error is told of `at`. */
const order: readonly (readonly [less: Amounts, more: Amounts, at: Amounts])[] = [
  ['min', 'max', 'min'],
  ['min', 'defaultRequest', 'defaultRequest'],
  ['defaultRequest', 'max', 'defaultRequest'],
  ['defaultRequest', 'default', 'defaultRequest'],
  ['min', 'default', 'default'],
  ['default', 'max', 'default'],
];

const words: Readonly<Record<Amounts, string>> = { min: 'min', max: 'max', default: 'default', defaultRequest: 'default request', maxLimitRequestRatio: 'ratio' };

const validateResource = (item: LimitRangeItem, name: string, field: string): readonly FieldError[] => {
  const text = (which: Amounts): string | undefined => item[which]?.[name];
  const amount = (which: Amounts): Quantity | undefined => parseQuantity(text(which) ?? '');
  const errors: FieldError[] = [];
  for (const [less, more, at] of order) {
    const [low, high] = [amount(less), amount(more)];
    if (low !== undefined && high !== undefined && low.nano > high.nano) {
      errors.push(wrong(`${field}.${at}[${name}]`, text(at), `${words[less]} value ${text(less)} is greater than ${words[more]} value ${text(more)}`));
    }
  }
  const ratio = amount('maxLimitRequestRatio');
  if (ratio === undefined) return errors;
  const at = `${field}.maxLimitRequestRatio[${name}]`;
  if (ratio.nano < 1_000_000_000n) errors.push(wrong(at, text('maxLimitRequestRatio'), `ratio ${text('maxLimitRequestRatio')} is less than 1`));
  const [min, max] = [amount('min'), amount('max')];
  if (min !== undefined && max !== undefined && min.nano > 0n && ratio.nano * min.nano > max.nano * 1_000_000_000n) {
    errors.push(wrong(at, text('maxLimitRequestRatio'), `ratio ${text('maxLimitRequestRatio')} is greater than max/min = ${(Number(max.nano) / Number(min.nano)).toFixed(6)}`));
  }
  return errors;
};

const validateItem = (item: LimitRangeItem, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const why = item.type === '' ? undefined : whyNotType(item.type);
  if (item.type === '') errors.push(required(`${field}.type`));
  else if (why !== undefined) errors.push(wrong(`${field}.type`, item.type, why));
  const nameRule = item.type === 'Container' || item.type === 'Pod' ? whyNotContainerResource : whyNotQuotaResource;
  const sets: readonly Amounts[] = ['max', 'min', ...(item.type === 'Pod' ? [] : ['default', 'defaultRequest'] as const), 'maxLimitRequestRatio'];
  for (const set of sets) errors.push(...validateAmounts(item[set], `${field}.${set}`, nameRule));
  if (item.type === 'Pod') {
    for (const set of ['default', 'defaultRequest'] as const) {
      if (Object.keys(item[set] ?? {}).length > 0) errors.push(forbidden(`${field}.${set}`, "may not be specified when `type` is 'Pod'"));
    }
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
    errors.push(required(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided'));
  }
  const names = new Set(sets.flatMap((set) => Object.keys(item[set] ?? {})));
  for (const name of names) errors.push(...validateResource(item, name, field));
  return errors;
};

/** Every wrong field of the limits of a LimitRange: each sort once, and amounts that go together. */
export const validateLimits = (limits: readonly LimitRangeItem[]): readonly FieldError[] => {
  const seen = new Set<string>();
  return limits.flatMap((item, index) => {
    const field = `spec.limits[${index}]`;
    const again = seen.has(item.type) ? [duplicate(`${field}.type`, item.type)] : [];
    seen.add(item.type);
    return [...again, ...validateItem(item, field)];
  });
};
