import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { refused, required, wrong, type FieldError } from '../../errors.ts';
import { deepEqual } from '../../frozen.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotCanonicalIp, whyNotDnsSubdomain, whyNotPathSegment } from '../../names.ts';
import { as, object, string, type Static } from '../../schema.ts';

export const ParentReference = object('networking.v1.ParentReference', 'Names the object that an address belongs to.', {
  group: string('API group of the object; empty for the core group.'),
  name: string('Name of the object.'),
  namespace: string('Namespace of the object.'),
  resource: string('Resource of the object in the plural, such as services.'),
}, ['name', 'resource']);
export type ParentReference = Static<typeof ParentReference>;

export const IPAddressSpec = object('networking.v1.IPAddressSpec', 'Whose an address is.', {
  parentRef: as(ParentReference, 'Object that the address belongs to. It cannot be changed.'),
}, ['parentRef']);
export type IPAddressSpec = Static<typeof IPAddressSpec>;

const schema = topLevel('networking.v1.IPAddress', 'A single address that has been given away; its name is the address.', {
  spec: as(IPAddressSpec, 'Whose the address is.'),
}, ['spec']);

const validateParent = ({ group = '', resource, namespace = '', name }: ParentReference, field: string): readonly FieldError[] => [
  ...(group === '' ? [] : refused(`${field}.group`, group, whyNotDnsSubdomain(group))),
  ...(resource === '' ? [required(`${field}.resource`)] : refused(`${field}.resource`, resource, whyNotPathSegment(resource))),
  ...(name === '' ? [required(`${field}.name`)] : refused(`${field}.name`, name, whyNotPathSegment(name))),
  ...refused(`${field}.namespace`, namespace, whyNotPathSegment(namespace)),
];

const parentText = ({ group = '', resource, namespace = '', name }: ParentReference): string =>
  [`${resource}${group === '' ? '' : `.${group}`}`.toLowerCase(), namespace, name].filter((part) => part !== '').join('/');

export const IPAddress = defineKind(schema, {
  group: 'networking.k8s.io', version: 'v1', kind: 'IPAddress', plural: 'ipaddresses', scope: 'Cluster',
  generationCounts: [],
  shortNames: ['ip'],
  nameRule: whyNotCanonicalIp,
  columns: [nameColumn, column('ParentRef', 'Object that the address belongs to.', ({ spec }) => parentText(spec.parentRef)), ageColumn],
  validate: ({ spec }, old) => [
    ...validateParent(spec.parentRef, 'spec.parentRef'),
    ...(old === undefined || deepEqual(spec.parentRef, old.spec.parentRef) ? [] : [wrong('spec.parentRef', spec.parentRef, 'field is immutable')]),
  ],
});
export type IPAddress = BodyOf<typeof IPAddress>;
