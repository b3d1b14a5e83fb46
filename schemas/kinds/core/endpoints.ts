import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { int32, list, object, string, type Static } from '../../schema.ts';
import { ObjectReference } from '../../types/references.ts';

export const EndpointAddress = object('core.v1.EndpointAddress', '', {
  hostname: string(''),
  ip: string(''),
  nodeName: string(''),
  targetRef: ObjectReference,
}, ['ip'], { 'x-kubernetes-map-type': 'atomic' });
export type EndpointAddress = Static<typeof EndpointAddress>;

export const EndpointPort = object('core.v1.EndpointPort', '', {
  appProtocol: string(''),
  name: string(''),
  port: int32(''),
  protocol: string(''),
}, ['port'], { 'x-kubernetes-map-type': 'atomic' });
export type EndpointPort = Static<typeof EndpointPort>;

export const EndpointSubset = object('core.v1.EndpointSubset', '', {
  addresses: list(EndpointAddress, '', { listType: 'atomic' }),
  notReadyAddresses: list(EndpointAddress, '', { listType: 'atomic' }),
  ports: list(EndpointPort, '', { listType: 'atomic' }),
});
export type EndpointSubset = Static<typeof EndpointSubset>;

const schema = topLevel('core.v1.Endpoints', '', {
  subsets: list(EndpointSubset, '', { listType: 'atomic' }),
});

export const Endpoints = defineKind(schema, {
  group: '', version: 'v1', kind: 'Endpoints', plural: 'endpoints', scope: 'Namespaced',
  shortNames: ['ep'],
  columns: [],
});
export type Endpoints = BodyOf<typeof Endpoints>;
