import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, int32, intOrString, list, mapOf, object, string, type Static } from '../../schema.ts';
import { Condition } from '../../types/condition.ts';

export const ClientIPConfig = object('core.v1.ClientIPConfig', '', {
  timeoutSeconds: int32(''),
});
export type ClientIPConfig = Static<typeof ClientIPConfig>;

export const SessionAffinityConfig = object('core.v1.SessionAffinityConfig', '', {
  clientIP: ClientIPConfig,
});
export type SessionAffinityConfig = Static<typeof SessionAffinityConfig>;

export const ServicePort = object('core.v1.ServicePort', '', {
  appProtocol: string(''),
  name: string(''),
  nodePort: int32(''),
  port: int32(''),
  protocol: string(''),
  targetPort: intOrString(''),
}, ['port']);
export type ServicePort = Static<typeof ServicePort>;

export const ServiceSpec = object('core.v1.ServiceSpec', '', {
  allocateLoadBalancerNodePorts: boolean(''),
  clusterIP: string(''),
  clusterIPs: list(string(''), '', { listType: 'atomic' }),
  externalIPs: list(string(''), '', { listType: 'atomic' }),
  externalName: string(''),
  externalTrafficPolicy: string(''),
  healthCheckNodePort: int32(''),
  internalTrafficPolicy: string(''),
  ipFamilies: list(string(''), '', { listType: 'atomic' }),
  ipFamilyPolicy: string(''),
  loadBalancerClass: string(''),
  loadBalancerIP: string(''),
  loadBalancerSourceRanges: list(string(''), '', { listType: 'atomic' }),
  ports: list(ServicePort, '', { mapKeys: ['port', 'protocol'], mergeKey: 'port' }),
  publishNotReadyAddresses: boolean(''),
  selector: mapOf(string(''), '', { 'x-kubernetes-map-type': 'atomic' }),
  sessionAffinity: string(''),
  sessionAffinityConfig: SessionAffinityConfig,
  trafficDistribution: string(''),
  type: string(''),
});
export type ServiceSpec = Static<typeof ServiceSpec>;

export const PortStatus = object('core.v1.PortStatus', '', {
  error: string(''),
  port: int32(''),
  protocol: string(''),
}, ['port', 'protocol']);
export type PortStatus = Static<typeof PortStatus>;

export const LoadBalancerIngress = object('core.v1.LoadBalancerIngress', '', {
  hostname: string(''),
  ip: string(''),
  ipMode: string(''),
  ports: list(PortStatus, '', { listType: 'atomic' }),
});
export type LoadBalancerIngress = Static<typeof LoadBalancerIngress>;

export const LoadBalancerStatus = object('core.v1.LoadBalancerStatus', '', {
  ingress: list(LoadBalancerIngress, '', { listType: 'atomic' }),
});
export type LoadBalancerStatus = Static<typeof LoadBalancerStatus>;

export const ServiceStatus = object('core.v1.ServiceStatus', '', {
  conditions: list(Condition, '', { mapKeys: ['type'], mergeKey: 'type' }),
  loadBalancer: LoadBalancerStatus,
});
export type ServiceStatus = Static<typeof ServiceStatus>;

const schema = topLevel('core.v1.Service', '', {
  spec: ServiceSpec,
  status: ServiceStatus,
});

export const Service = defineKind(schema, {
  group: '', version: 'v1', kind: 'Service', plural: 'services', scope: 'Namespaced',
  shortNames: ['svc'],
  categories: ['all'],
  subresources: { status: true },
  columns: [],
});
export type Service = BodyOf<typeof Service>;
