import { isIP } from 'node:net';
import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { refused, required, wrong, type FieldError } from '../../errors.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotCidr } from '../../names.ts';
import { as, list, object, string, type Static } from '../../schema.ts';
import { Condition } from '../../types/condition.ts';

export const ServiceCIDRSpec = object('networking.v1.ServiceCIDRSpec', 'Ranges of addresses for services.', {
  cidrs: list(string('CIDR.'), 'One range, or two of different families. They cannot be changed; a second one can be added.', { listType: 'atomic' }),
});
export type ServiceCIDRSpec = Static<typeof ServiceCIDRSpec>;

export const ServiceCIDRStatus = object('networking.v1.ServiceCIDRStatus', 'Whether the ranges are in use.', {
  conditions: list(Condition, 'Aspects of the state, Ready for one.', { mapKeys: ['type'], mergeKey: 'type' }),
});
export type ServiceCIDRStatus = Static<typeof ServiceCIDRStatus>;

const schema = topLevel('networking.v1.ServiceCIDR', 'Ranges from which services get their addresses.', {
  spec: as(ServiceCIDRSpec, 'The ranges.'),
  status: as(ServiceCIDRStatus, 'Whether they are in use.'),
});

/** At most one range of each family. */
const maxRanges = 2;

const familyOf = (cidr: string): number => isIP(cidr.split('/')[0] ?? '');

const validateRanges = (cidrs: readonly string[]): readonly FieldError[] => {
  if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')];
  if (cidrs.length > maxRanges) return [wrong('spec.cidrs', cidrs, 'may only hold up to 2 values')];
  const errors = cidrs.flatMap((cidr, index) => refused(`spec.cidrs[${index}]`, cidr, whyNotCidr(cidr)));
  if (errors.length > 0 || cidrs.length === 1 || familyOf(cidrs[0] ?? '') !== familyOf(cidrs[1] ?? '')) return errors;
  return [wrong('spec.cidrs', cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64')];
};

const validateChange = (cidrs: readonly string[], old: readonly string[]): readonly FieldError[] => {
  if (cidrs.length < old.length) return [wrong('spec.cidrs', cidrs, 'field is immutable')];
  return old.flatMap((cidr, index) => (cidrs[index] === cidr ? [] : [wrong(`spec.cidrs[${index}]`, cidrs[index], 'field is immutable')]));
};

export const ServiceCIDR = defineKind(schema, {
  group: 'networking.k8s.io', version: 'v1', kind: 'ServiceCIDR', plural: 'servicecidrs', scope: 'Cluster',
  generationCounts: [],
  statusKeeps: 'metadata',
  subresources: { status: true },
  columns: [nameColumn, column('CIDRs', 'The ranges.', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
  initialStatus: () => ({}),
  validate: ({ spec }, old) => {
    const cidrs = spec?.cidrs ?? [];
    return [...validateRanges(cidrs), ...(old === undefined ? [] : validateChange(cidrs, old.spec?.cidrs ?? []))];
  },
});
export type ServiceCIDR = BodyOf<typeof ServiceCIDR>;
