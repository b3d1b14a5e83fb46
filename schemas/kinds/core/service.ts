import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { mapMatcher } from '../../label-selector.ts';
import { whyNotDns1035Label } from '../../names.ts';
import { prepareService } from '../../prepare/service.ts';
import { as, boolean, int32, intOrString, list, mapOf, object, oneOf, string, type Static } from '../../schema.ts';
import { joined, orNone } from '../../table-cells.ts';
import { Condition } from '../../types/condition.ts';
import { validateBalancedStatus } from '../../validation/ingress.ts';
import { validateServiceSpec } from '../../validation/service.ts';
import { warnServiceAnnotations } from '../../warnings/deprecated.ts';
import { warnService } from '../../warnings/service.ts';

export const ClientIPConfig = object('core.v1.ClientIPConfig', 'Settings for affinity by client address.', {
  timeoutSeconds: int32('Seconds for which a client stays with its endpoint, 1 to 86400.', { default: 10800 }),
});
export type ClientIPConfig = Static<typeof ClientIPConfig>;

export const SessionAffinityConfig = object('core.v1.SessionAffinityConfig', 'Settings for session affinity.', {
  clientIP: as(ClientIPConfig, 'Settings for affinity by client address.'),
});
export type SessionAffinityConfig = Static<typeof SessionAffinityConfig>;

export const ServicePort = object('core.v1.ServicePort', 'A port at which a service answers.', {
  appProtocol: string('Application protocol, such as http or kubernetes.io/h2c.'),
  name: string('Name of the port; needed when there are several.'),
  nodePort: int32('Port on every node, for types NodePort and LoadBalancer; chosen by the server where absent.'),
  port: int32('Number of the port.', { minimum: 1, maximum: 65535 }),
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'Transport protocol.', { default: 'TCP' }),
  targetPort: intOrString('Port of the pods, by number or name; the same as port where absent.'),
}, ['port']);
export type ServicePort = Static<typeof ServicePort>;

export const ServiceSpec = object('core.v1.ServiceSpec', 'How a service is reached and what is behind it.', {
  allocateLoadBalancerNodePorts: boolean('False to give a load balancer no node ports.'),
  clusterIP: string('Address in the cluster; None for a headless service, chosen by the server where absent.'),
  clusterIPs: list(string('Address.'), 'Addresses in the cluster, one a family; the first equals clusterIP.', { listType: 'atomic', maxItems: 2 }),
  externalIPs: list(string('Address.'), 'Further addresses at which nodes take traffic for the service.', { listType: 'atomic' }),
  externalName: string('Name to which DNS points, for type ExternalName.'),
  externalTrafficPolicy: oneOf(['Cluster', 'Local'], 'Whether traffic from outside goes to all endpoints or to those of its node.'),
  healthCheckNodePort: int32('Port at which a load balancer asks whether a node has endpoints.'),
  internalTrafficPolicy: oneOf(['Cluster', 'Local'], 'Whether traffic from inside goes to all endpoints or to those of its node.'),
  ipFamilies: list(string('Address family.'), 'Families of the addresses.', { listType: 'atomic', maxItems: 2 }),
  ipFamilyPolicy: oneOf(['SingleStack', 'PreferDualStack', 'RequireDualStack'], 'Whether the service has one family or two.'),
  loadBalancerClass: string('Class of load balancer that is wanted.'),
  loadBalancerIP: string('Address that the load balancer should take, where it can.'),
  loadBalancerSourceRanges: list(string('CIDR.'), 'Client addresses that the load balancer lets in.', { listType: 'atomic' }),
  ports: list(ServicePort, 'The ports.', { mapKeys: ['port', 'protocol'], mergeKey: 'port' }),
  publishNotReadyAddresses: boolean('True to list endpoints before they are ready.'),
  selector: mapOf(string('Label value.'), 'Labels of the pods behind the service; without it endpoints are made by hand.', { 'x-kubernetes-map-type': 'atomic' }),
  sessionAffinity: oneOf(['ClientIP', 'None'], 'Whether a client stays with one endpoint.', { default: 'None' }),
  sessionAffinityConfig: as(SessionAffinityConfig, 'Settings for session affinity.'),
  trafficDistribution: oneOf(['PreferClose', 'PreferSameZone', 'PreferSameNode'], 'Which endpoints are preferred.'),
  type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], 'How the service is reached.', { default: 'ClusterIP' }),
});
export type ServiceSpec = Static<typeof ServiceSpec>;

export const PortStatus = object('core.v1.PortStatus', 'State of a port of a load balancer.', {
  error: string('What is wrong with it, in one word.'),
  port: int32('Number of the port.'),
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'Transport protocol.'),
}, ['port', 'protocol']);
export type PortStatus = Static<typeof PortStatus>;

export const LoadBalancerIngress = object('core.v1.LoadBalancerIngress', 'A place at which a load balancer takes traffic.', {
  hostname: string('Host name.'),
  ip: string('Address.'),
  ipMode: oneOf(['VIP', 'Proxy'], 'Whether traffic keeps this address as its destination.'),
  ports: list(PortStatus, 'State of the ports.', { listType: 'atomic' }),
});
export type LoadBalancerIngress = Static<typeof LoadBalancerIngress>;

export const LoadBalancerStatus = object('core.v1.LoadBalancerStatus', 'State of a load balancer.', {
  ingress: list(LoadBalancerIngress, 'Places at which it takes traffic.', { listType: 'atomic' }),
});
export type LoadBalancerStatus = Static<typeof LoadBalancerStatus>;

export const ServiceStatus = object('core.v1.ServiceStatus', 'How a service is.', {
  conditions: list(Condition, "Aspects of the service's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  loadBalancer: as(LoadBalancerStatus, 'State of the load balancer, for that type.', { 'x-barge-default-object': true }),
});
export type ServiceStatus = Static<typeof ServiceStatus>;

const schema = topLevel('core.v1.Service', 'A stable address for a set of pods.', {
  spec: as(ServiceSpec, 'How it is reached and what is behind it.', { 'x-barge-default-object': true }),
  status: as(ServiceStatus, 'How it is.'),
}, ['spec']);

const externalIp = ({ spec, status }: { readonly spec: ServiceSpec; readonly status?: ServiceStatus | undefined }): string => {
  const externalIPs = spec.externalIPs ?? [];
  if (spec.type === 'ExternalName') return orNone(spec.externalName);
  if (spec.type !== 'LoadBalancer') return joined(externalIPs);
  const places = (status?.loadBalancer?.ingress ?? []).map((one) => one.ip ?? one.hostname ?? '');
  return [...places, ...externalIPs].filter((one) => one !== '').join(',') || '<pending>';
};

const portCell = ({ port, nodePort = 0, protocol = 'TCP' }: ServicePort): string => (nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`);

export const Service = defineKind(schema, {
  group: '', version: 'v1', kind: 'Service', plural: 'services', scope: 'Namespaced',
  generationCounts: [],
  createOnUpdate: true,
  shortNames: ['svc'],
  categories: ['all'],
  fields: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type ?? '' },
  columns: [
    nameColumn,
    column('Type', 'How the service is reached.', ({ spec }) => spec.type ?? 'ClusterIP'),
    column('Cluster-IP', 'Address in the cluster.', ({ spec }) => orNone(spec.clusterIP)),
    column('External-IP', 'Addresses outside of the cluster.', externalIp),
    column('Port(s)', 'Ports, with the port on every node where there is one.', ({ spec }) => joined((spec.ports ?? []).map(portCell))),
    ageColumn,
    column('Selector', 'Labels of the pods behind the service.', ({ spec }) => (Object.keys(spec.selector ?? {}).length === 0 ? '<none>' : String(mapMatcher(spec.selector))), { shown: 'wide' }),
  ],
  subresources: { status: true, special: { proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] } } },
  nameRule: whyNotDns1035Label,
  initialStatus: () => ({ loadBalancer: {} }),
  prepare: ({ spec }, old) => prepareService(spec, old?.spec),
  validate: ({ spec }, old) => validateServiceSpec(spec, old?.spec),
  validateStatus: ({ status }) => validateBalancedStatus(status),
  warn: ({ metadata, spec }, old) => [...(old === undefined ? warnServiceAnnotations(metadata.annotations) : []), ...(spec === old?.spec ? [] : warnService(spec))],
});
export type Service = BodyOf<typeof Service>;
