import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, boolean, int32, list, mapOf, object, oneOf, string, type Static } from '../../schema.ts';
import { ObjectReference } from '../../types/references.ts';
import { validateEndpointSlice } from '../../validation/endpoints.ts';

export const ForNode = object('discovery.v1.ForNode', 'A node that should use an endpoint.', {
  name: string('Name of the node.'),
}, ['name']);
export type ForNode = Static<typeof ForNode>;

export const ForZone = object('discovery.v1.ForZone', 'A zone that should use an endpoint.', {
  name: string('Name of the zone.'),
}, ['name']);
export type ForZone = Static<typeof ForZone>;

export const EndpointHints = object('discovery.v1.EndpointHints', 'Who should use an endpoint.', {
  forNodes: list(ForNode, 'Nodes that should use it, at most 8.', { listType: 'atomic', maxItems: 8 }),
  forZones: list(ForZone, 'Zones that should use it, at most 8.', { listType: 'atomic', maxItems: 8 }),
});
export type EndpointHints = Static<typeof EndpointHints>;

export const EndpointConditions = object('discovery.v1.EndpointConditions', 'State of an endpoint.', {
  ready: boolean('Whether new connections may go there; absent counts as true.'),
  serving: boolean('Whether it answers, also while it is being stopped.'),
  terminating: boolean('Whether it is being stopped.'),
});
export type EndpointConditions = Static<typeof EndpointConditions>;

export const Endpoint = object('discovery.v1.Endpoint', 'One place at which a service answers.', {
  addresses: list(string('Address.'), 'Addresses of the endpoint, 1 to 100; clients use the first.', { listType: 'set', maxItems: 100 }),
  conditions: as(EndpointConditions, 'State of the endpoint.'),
  deprecatedTopology: mapOf(string('Value.'), 'Old place for topology labels.'),
  hints: as(EndpointHints, 'Who should use the endpoint.'),
  hostname: string('Host name of the endpoint, for DNS.'),
  nodeName: string('Node on which it is.'),
  targetRef: as(ObjectReference, 'Object behind it, a pod as a rule.'),
  zone: string('Zone in which it is.'),
}, ['addresses']);
export type Endpoint = Static<typeof Endpoint>;

export const EndpointPort = object('discovery.v1.EndpointPort', 'A port at which all endpoints of a slice answer.', {
  appProtocol: string('Application protocol, such as http or kubernetes.io/h2c.'),
  name: string('Name of the port, as in the service.', { default: '' }),
  port: int32('Number of the port.'),
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'Transport protocol.', { default: 'TCP' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type EndpointPort = Static<typeof EndpointPort>;

const schema = topLevel('discovery.v1.EndpointSlice', 'A part of the endpoints of a service.', {
  addressType: oneOf(['IPv4', 'IPv6', 'FQDN'], 'Sort of the addresses.'),
  endpoints: list(Endpoint, 'The endpoints, at most 1000.', { listType: 'atomic', maxItems: 1000 }),
  ports: list(EndpointPort, 'The ports, at most 20000.', { listType: 'atomic', maxItems: 20000 }),
}, ['addressType']);

/** How many ports or addresses a cell shows before it only counts. */
const shownItems = 3;

const someOf = (items: readonly string[]): string => {
  const text = items.slice(0, shownItems).join(',');
  return items.length > shownItems ? `${text} + ${items.length - shownItems} more...` : text || '<unset>';
};

export const EndpointSlice = defineKind(schema, {
  group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', plural: 'endpointslices', scope: 'Namespaced',
  generationCounts: ['addressType', 'endpoints', 'ports', 'metadata.labels'],
  columns: [
    nameColumn,
    column('AddressType', 'Sort of the addresses.', ({ addressType }) => addressType),
    column('Ports', 'Ports at which all endpoints answer.', ({ ports }) => someOf((ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : String(port))))),
    column('Endpoints', 'Addresses.', ({ endpoints }) => someOf((endpoints ?? []).flatMap((one) => one.addresses))),
    ageColumn,
  ],
  validate: validateEndpointSlice,
});
export type EndpointSlice = BodyOf<typeof EndpointSlice>;
