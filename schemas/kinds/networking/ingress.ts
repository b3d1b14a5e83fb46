import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, list, object, oneOf, string, type Static } from '../../schema.ts';
import { TypedLocalObjectReference } from '../../types/references.ts';
import { classAnnotation, validateIngress, validateBalancedStatus } from '../../validation/ingress.ts';

export const ServiceBackendPort = object('networking.v1.ServiceBackendPort', 'A port of a service, by name or by number.', {
  name: string('Name of the port; excludes number.'),
  number: int32('Number of the port; excludes name.'),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type ServiceBackendPort = Static<typeof ServiceBackendPort>;

export const IngressServiceBackend = object('networking.v1.IngressServiceBackend', 'A service that answers requests.', {
  name: string('Name of the service, which must be in the namespace of the ingress.'),
  port: as(ServiceBackendPort, 'Port of the service.'),
}, ['name']);
export type IngressServiceBackend = Static<typeof IngressServiceBackend>;

export const IngressBackend = object('networking.v1.IngressBackend', 'Where requests go: to a service or to an object of another kind.', {
  resource: as(TypedLocalObjectReference, 'An object in the namespace of the ingress; excludes service.'),
  service: as(IngressServiceBackend, 'A service; excludes resource.'),
});
export type IngressBackend = Static<typeof IngressBackend>;

export const HTTPIngressPath = object('networking.v1.HTTPIngressPath', 'Sends requests for a path to a backend.', {
  backend: as(IngressBackend, 'Where the requests go.'),
  path: string("Path that requests are compared with; begins with '/'."),
  pathType: oneOf(['Exact', 'Prefix', 'ImplementationSpecific'], 'How paths are compared: as a whole, part by part from the front, or as the ingress class sees fit.'),
}, ['backend', 'pathType']);
export type HTTPIngressPath = Static<typeof HTTPIngressPath>;

export const HTTPIngressRuleValue = object('networking.v1.HTTPIngressRuleValue', 'Paths of a host and the backends behind them.', {
  paths: list(HTTPIngressPath, 'The paths; there is at least one.', { listType: 'atomic' }),
}, ['paths']);
export type HTTPIngressRuleValue = Static<typeof HTTPIngressRuleValue>;

export const IngressRule = object('networking.v1.IngressRule', 'What happens to requests for a host.', {
  host: string("Name of the host; '*.' in front stands for one more label, and no name means every host."),
  http: as(HTTPIngressRuleValue, 'Backends of the paths of the host.'),
});
export type IngressRule = Static<typeof IngressRule>;

export const IngressTLS = object('networking.v1.IngressTLS', 'A certificate for hosts.', {
  hosts: list(string('Host.'), 'Hosts that the certificate is for.', { listType: 'atomic' }),
  secretName: string('Secret with the certificate and its key.'),
});
export type IngressTLS = Static<typeof IngressTLS>;

export const IngressSpec = object('networking.v1.IngressSpec', 'How requests from outside reach services.', {
  defaultBackend: as(IngressBackend, 'Where requests go that no rule matches.'),
  ingressClassName: string('Class of the ingress, which says who carries it out.'),
  rules: list(IngressRule, 'What happens to requests, by host and path.', { listType: 'atomic' }),
  tls: list(IngressTLS, 'Certificates for hosts; they are served on port 443.', { listType: 'atomic' }),
});
export type IngressSpec = Static<typeof IngressSpec>;

export const IngressPortStatus = object('networking.v1.IngressPortStatus', 'State of a port of a load balancer.', {
  error: string('What is wrong with the port.'),
  port: int32('Number of the port.'),
  protocol: string('Transport protocol: TCP, UDP or SCTP.'),
}, ['port', 'protocol']);
export type IngressPortStatus = Static<typeof IngressPortStatus>;

export const IngressLoadBalancerIngress = object('networking.v1.IngressLoadBalancerIngress', 'A place at which an ingress can be reached.', {
  hostname: string('Name of the place.'),
  ip: string('Address of the place.'),
  ports: list(IngressPortStatus, 'Its ports.', { listType: 'atomic' }),
});
export type IngressLoadBalancerIngress = Static<typeof IngressLoadBalancerIngress>;

export const IngressLoadBalancerStatus = object('networking.v1.IngressLoadBalancerStatus', 'Where an ingress can be reached.', {
  ingress: list(IngressLoadBalancerIngress, 'The places.', { listType: 'atomic' }),
});
export type IngressLoadBalancerStatus = Static<typeof IngressLoadBalancerStatus>;

export const IngressStatus = object('networking.v1.IngressStatus', 'What has become of an ingress.', {
  loadBalancer: as(IngressLoadBalancerStatus, 'Where the ingress can be reached.'),
});
export type IngressStatus = Static<typeof IngressStatus>;

const schema = topLevel('networking.v1.Ingress', 'Lets HTTP requests from outside reach services, by host and path.', {
  spec: as(IngressSpec, 'How requests reach services.'),
  status: as(IngressStatus, 'Where the ingress can be reached.'),
});

/** How many hosts a cell names before it only counts. */
const shownHosts = 3;

const hostsOf = (rules: readonly IngressRule[]): string => {
  const hosts = rules.map((rule) => rule.host ?? '').filter((host) => host !== '');
  if (hosts.length === 0) return '*';
  const text = hosts.slice(0, shownHosts).join(',');
  return hosts.length > shownHosts ? `${text} + ${rules.length - shownHosts} more...` : text;
};

const addressesOf = (status: IngressStatus | undefined): string =>
  [...new Set((status?.loadBalancer?.ingress ?? []).map(({ ip = '', hostname = '' }) => (ip === '' ? hostname : ip)).filter((text) => text !== ''))].sort().join(',');

export const Ingress = defineKind(schema, {
  group: 'networking.k8s.io', version: 'v1', kind: 'Ingress', plural: 'ingresses', scope: 'Namespaced',
  shortNames: ['ing'],
  subresources: { status: true },
  columns: [
    nameColumn,
    column('Class', 'Class of the ingress.', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    column('Hosts', 'Hosts that the rules are about.', ({ spec }) => hostsOf(spec?.rules ?? [])),
    column('Address', 'Where the ingress can be reached.', ({ status }) => addressesOf(status)),
    column('Ports', 'Ports at which it can be reached.', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  initialStatus: () => ({ loadBalancer: {} }),
  validate: ({ metadata, spec }, old) => validateIngress(spec ?? {}, old === undefined ? metadata.annotations : undefined),
  validateStatus: ({ status }) => validateBalancedStatus(status),
  warn: ({ metadata }, old) => (metadata.annotations?.[classAnnotation] === undefined || metadata.annotations === old?.metadata.annotations ? []
    : [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]),
});
export type Ingress = BodyOf<typeof Ingress>;
