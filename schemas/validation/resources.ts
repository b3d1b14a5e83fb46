import { absent, forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { isDomainPrefixed, whyNotContainerResource } from '../names.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import type { ResourceRequirements } from '../types/resources.ts';

type Amounts = Readonly<Record<string, string>>;

/** Extended resources are devices and the like: whole, and never lent beyond what was asked. */
const isExtended = (name: string): boolean => isDomainPrefixed(name) && !name.includes('kubernetes.io/');

/** Resources of which a container cannot use more than it asked for. */
const cannotOvercommit = (name: string): boolean => isExtended(name) || name.startsWith('hugepages-');

/** Amounts by the name of the resource: not negative, and whole where the resource is. */
export const validateAmounts = (amounts: Amounts | undefined, field: string, nameRule: (name: string) => string | undefined = whyNotContainerResource): readonly FieldError[] =>
  Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const at = `${field}[${name}]`;
    const quantity = parseQuantity(amount);
    if (quantity === undefined) return [];
    return [
      ...refused(at, name, nameRule(name)),
      ...(quantity.nano < 0n ? [wrong(at, amount, 'must be greater than or equal to 0')] : []),
      ...((cannotOvercommit(name) || name === 'pods') && quantity.nano % 1_000_000_000n !== 0n ? [wrong(at, amount, 'must be an integer')] : []),
    ];
  });

const validateAgainstLimits = (requests: Amounts, limits: Amounts, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (parseQuantity(request) === undefined || (limit !== undefined && parseQuantity(limit) === undefined)) continue;
    if (limit === undefined) {
      if (cannotOvercommit(name)) errors.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
    } else if (cannotOvercommit(name)) {
      if (compareQuantities(request, limit) !== 0) errors.push(wrong(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`));
    } else if (compareQuantities(request, limit) > 0) {
      errors.push(wrong(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
  return errors;
};

/** Huge pages are whole pages, and come beside CPU or memory. */
const validateHugePages = (requests: Amounts, limits: Amounts, field: string): readonly FieldError[] => {
  const asked = [...Object.entries(limits), ...Object.entries(requests).filter(([name, amount]) => limits[name] !== amount)];
  const pages = asked.filter(([name]) => name.startsWith('hugepages-'));
  if (pages.length === 0) return [];
  return [
    ...pages.flatMap(([name, amount]) => {
      const size = name.slice('hugepages-'.length);
      const [page, quantity] = [parseQuantity(size)?.nano ?? 0n, parseQuantity(amount)?.nano];
      if (quantity === undefined || quantity < 0n) return [];
      return page > 0n && quantity % page === 0n ? [] : [wrong(field, amount, `is not a multiple of the page size ${size}`)];
    }),
    ...(asked.some(([name]) => name === 'cpu' || name === 'memory') ? [] : [forbidden(field, 'HugePages require cpu or memory')]),
  ];
};

/** Requests and limits of a container; `claims` are the names of the pod's resource claims. */
export const validateResources = (resources: ResourceRequirements | undefined, field: string, claims: ReadonlySet<string>): readonly FieldError[] => {
  if (resources === undefined) return [];
  const { requests = {}, limits = {} } = resources;
  return [
    ...validateAmounts(limits, `${field}.limits`),
    ...validateAmounts(requests, `${field}.requests`),
    ...validateAgainstLimits(requests, limits, field),
    ...validateHugePages(requests, limits, field),
    ...(resources.claims ?? []).flatMap((claim, index) =>
      claim.name === '' ? [required(`${field}.claims[${index}].name`)] : claims.has(claim.name) ? [] : [absent(`${field}.claims[${index}]`, claim.name)]),
  ];
};
