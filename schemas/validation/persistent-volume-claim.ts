import { forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { PersistentVolumeClaimStatus } from '../kinds/core/persistent-volume-claim.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotDnsSubdomain, whyNotQualifiedName } from '../names.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import type { PersistentVolumeClaimSpec } from '../types/persistent-volume-claim-spec.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import { leavesClassOpen } from '../volumes/storage-class-of.ts';
import { validateAccessModes, validateClassName, validateSize } from './persistent-volume.ts';
import { validateAmounts } from './resources.ts';

interface Source { readonly apiGroup?: string | undefined; readonly kind: string; readonly name: string }

const validateDataSource = (source: Source | undefined, field: string): readonly FieldError[] => {
  if (source === undefined) return [];
  const { apiGroup = '', kind, name } = source;
  return [
    ...(name === '' ? [required(`${field}.name`)] : []),
    ...(kind === '' ? [required(`${field}.kind`)] : []),
    ...(apiGroup === '' && kind !== 'PersistentVolumeClaim' ? [wrong(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")] : []),
    ...(apiGroup === '' ? [] : refused(`${field}.apiGroup`, apiGroup, whyNotDnsSubdomain(apiGroup))),
  ];
};

/** What a claim may ask for, also within a template; `field` is the path of the spec. */
export const validateClaimSpec = (spec: PersistentVolumeClaimSpec, field: string): readonly FieldError[] => {
  const size = spec.resources?.requests?.['storage'];
  const { dataSource, dataSourceRef } = spec;
  return [
    ...validateAccessModes(spec.accessModes, `${field}.accessModes`),
    ...validateLabelSelector(spec.selector, `${field}.selector`),
    ...(size === undefined ? [required(`${field}.resources[storage]`)] : validateSize(size, `${field}.resources[storage]`)),
    ...validateClassName(spec.storageClassName, `${field}.storageClassName`),
    ...validateClassName(spec.volumeAttributesClassName, `${field}.volumeAttributesClassName`),
    ...validateDataSource(dataSource, `${field}.dataSource`),
    ...validateDataSource(dataSourceRef, `${field}.dataSourceRef`),
    ...(dataSource !== undefined && dataSourceRef !== undefined && (dataSourceRef.namespace ?? '') === '' && !deepEqual(dataSource, dataSourceRef)
      ? [wrong(field, `${field}.dataSource`, 'must match dataSourceRef')] : []),
    ...(dataSource !== undefined && (dataSourceRef?.namespace ?? '') !== '' ? [wrong(field, `${field}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified')] : []),
  ];
};

/** The spec without what may change: the volume and the class once, the class of attributes, and of a bound claim the size. */
const fixedPart = (claim: PersistentVolumeClaimSpec, { named, classed, bound }: { readonly named: boolean; readonly classed: boolean; readonly bound: boolean }): object => {
  const { volumeName, storageClassName, volumeAttributesClassName: _class, resources: { requests, ...resources } = {}, ...rest } = claim;
  const { storage: _storage, ...others } = requests ?? {};
  return { ...rest, ...(named ? { volumeName } : {}), ...(classed ? { storageClassName } : {}), resources: { ...resources, requests: bound ? others : requests ?? {} } };
};

interface Claim {
  readonly metadata: ObjectMeta;
  readonly spec: PersistentVolumeClaimSpec;
  readonly status?: PersistentVolumeClaimStatus | undefined;
}

const validateUpdate = ({ spec, status }: Claim, old: Claim): readonly FieldError[] => {
  // A claim that leaves its class open gets the default class when there comes to be one.
  const rules = { named: (old.spec.volumeName ?? '') !== '', classed: !leavesClassOpen(old), bound: (status ?? old.status)?.phase === 'Bound' };
  const errors: FieldError[] = [];
  if (!deepEqual(fixedPart(spec, rules), fixedPart(old.spec, rules))) {
    errors.push(forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'));
  }
  const size = spec.resources?.requests?.['storage'];
  const before = old.spec.resources?.requests?.['storage'];
  const has = old.status?.capacity?.['storage'];
  const known = size !== undefined && before !== undefined && parseQuantity(size) !== undefined && parseQuantity(before) !== undefined;
  // A wish for more that cannot be met may be taken back, but a volume never becomes smaller than it is.
  if (known && compareQuantities(size, before) < 0 && (has === undefined || compareQuantities(size, has) <= 0)) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  if ((old.spec.volumeAttributesClassName ?? '') !== '' && spec.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return errors;
};

/** Every wrong field of a claim. */
export const validatePersistentVolumeClaim = (claim: Claim, old: Claim | undefined): readonly FieldError[] => [
  ...validateClaimSpec(claim.spec, 'spec'),
  ...(old === undefined ? [] : validateUpdate(claim, old)),
];

export const validateClaimStatus = (status: PersistentVolumeClaimStatus): readonly FieldError[] => [
  ...validateAmounts(status.capacity, 'status.capacity', whyNotQualifiedName),
  ...validateAmounts(status.allocatedResources, 'status.allocatedResources', whyNotQualifiedName),
];
