import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, int32, list, mapOf, object, string, type Static } from '../../schema.ts';
import { ObjectReference } from '../../types/references.ts';

export const ForNode = object('discovery.v1.ForNode', '', {
  name: string(''),
}, ['name']);
export type ForNode = Static<typeof ForNode>;

export const ForZone = object('discovery.v1.ForZone', '', {
  name: string(''),
}, ['name']);
export type ForZone = Static<typeof ForZone>;

export const EndpointHints = object('discovery.v1.EndpointHints', '', {
  forNodes: list(ForNode, '', { listType: 'atomic' }),
  forZones: list(ForZone, '', { listType: 'atomic' }),
});
export type EndpointHints = Static<typeof EndpointHints>;

export const EndpointConditions = object('discovery.v1.EndpointConditions', '', {
  ready: boolean(''),
  serving: boolean(''),
  terminating: boolean(''),
});
export type EndpointConditions = Static<typeof EndpointConditions>;

export const Endpoint = object('discovery.v1.Endpoint', '', {
  addresses: list(string(''), '', { listType: 'set' }),
  conditions: EndpointConditions,
  deprecatedTopology: mapOf(string(''), ''),
  hints: EndpointHints,
  hostname: string(''),
  nodeName: string(''),
  targetRef: ObjectReference,
  zone: string(''),
}, ['addresses']);
export type Endpoint = Static<typeof Endpoint>;

export const EndpointPort = object('discovery.v1.EndpointPort', '', {
  appProtocol: string(''),
  name: string(''),
  port: int32(''),
  protocol: string(''),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type EndpointPort = Static<typeof EndpointPort>;

const schema = topLevel('discovery.v1.EndpointSlice', '', {
  addressType: string(''),
  endpoints: list(Endpoint, '', { listType: 'atomic' }),
  ports: list(EndpointPort, '', { listType: 'atomic' }),
}, ['addressType']);

export const EndpointSlice = defineKind(schema, {
  group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', plural: 'endpointslices', scope: 'Namespaced',
  columns: [],
});
export type EndpointSlice = BodyOf<typeof EndpointSlice>;
