import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, list, object, oneOf, string, type Static } from '../../schema.ts';
import { orNone } from '../../table-cells.ts';
import { ObjectReference } from '../../types/references.ts';
import { validateSubsets } from '../../validation/endpoints.ts';

export const EndpointAddress = object('core.v1.EndpointAddress', 'One place at which a service answers.', {
  hostname: string('Host name of the endpoint, for DNS.'),
  ip: string('Its address.'),
  nodeName: string('Node on which it is.'),
  targetRef: as(ObjectReference, 'Object behind it, a pod as a rule.'),
}, ['ip'], { 'x-kubernetes-map-type': 'atomic' });
export type EndpointAddress = Static<typeof EndpointAddress>;

export const EndpointPort = object('core.v1.EndpointPort', 'A port at which endpoints answer.', {
  appProtocol: string('Application protocol, such as http.'),
  name: string('Name of the port, as in the service.'),
  port: int32('Number of the port.', { minimum: 1, maximum: 65535 }),
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'Transport protocol.', { default: 'TCP' }),
}, ['port'], { 'x-kubernetes-map-type': 'atomic' });
export type EndpointPort = Static<typeof EndpointPort>;

export const EndpointSubset = object('core.v1.EndpointSubset', 'Addresses that all answer at the same ports.', {
  addresses: list(EndpointAddress, 'Addresses that are ready.', { listType: 'atomic' }),
  notReadyAddresses: list(EndpointAddress, 'Addresses that are not ready.', { listType: 'atomic' }),
  ports: list(EndpointPort, 'The ports.', { listType: 'atomic' }),
});
export type EndpointSubset = Static<typeof EndpointSubset>;

const schema = topLevel('core.v1.Endpoints', 'All endpoints of a service, in the old form that EndpointSlices replace.', {
  subsets: list(EndpointSubset, 'The endpoints, grouped by their ports.', { listType: 'atomic' }),
});

/** How many addresses a cell shows before it only counts. */
const shownAddresses = 3;

const addressOf = (ip: string, port: number | undefined): string => (port === undefined ? ip : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

const endpointsCell = (subsets: readonly EndpointSubset[] | undefined): string => {
  const all = (subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    (ports.length === 0 ? [undefined] : ports.map((one) => one.port)).flatMap((port) => addresses.map(({ ip }) => addressOf(ip, port))));
  const text = all.slice(0, shownAddresses).join(',');
  return all.length > shownAddresses ? `${text} + ${all.length - shownAddresses} more...` : orNone(text);
};

export const Endpoints = defineKind(schema, {
  group: '', version: 'v1', kind: 'Endpoints', plural: 'endpoints', scope: 'Namespaced',
  createOnUpdate: true,
  shortNames: ['ep'],
  columns: [nameColumn, column('Endpoints', 'Addresses and ports that are ready.', ({ subsets }) => endpointsCell(subsets)), ageColumn],
  validate: ({ subsets }) => validateSubsets(subsets),
});
export type Endpoints = BodyOf<typeof Endpoints>;
