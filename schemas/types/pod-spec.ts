import { boolean, int32, int64, list, mapOf, object, quantity, string, type Static } from '../schema.ts';
import { Affinity, Toleration, TopologySpreadConstraint } from '../types/affinity.ts';
import { Container, EphemeralContainer } from '../types/container.ts';
import { ObjectMeta } from '../types/object-meta.ts';
import { LocalObjectReference } from '../types/references.ts';
import { ResourceRequirements } from '../types/resources.ts';
import { PodSecurityContext } from '../types/security-context.ts';
import { Volume } from '../types/volume.ts';

export const HostAlias = object('core.v1.HostAlias', '', {
  hostnames: list(string(''), '', { listType: 'atomic' }),
  ip: string(''),
}, ['ip']);
export type HostAlias = Static<typeof HostAlias>;

export const PodDNSConfigOption = object('core.v1.PodDNSConfigOption', '', {
  name: string(''),
  value: string(''),
});
export type PodDNSConfigOption = Static<typeof PodDNSConfigOption>;

export const PodDNSConfig = object('core.v1.PodDNSConfig', '', {
  nameservers: list(string(''), '', { listType: 'atomic' }),
  options: list(PodDNSConfigOption, '', { listType: 'atomic' }),
  searches: list(string(''), '', { listType: 'atomic' }),
});
export type PodDNSConfig = Static<typeof PodDNSConfig>;

export const PodOS = object('core.v1.PodOS', '', {
  name: string(''),
}, ['name']);
export type PodOS = Static<typeof PodOS>;

export const PodReadinessGate = object('core.v1.PodReadinessGate', '', {
  conditionType: string(''),
}, ['conditionType']);
export type PodReadinessGate = Static<typeof PodReadinessGate>;

export const PodResourceClaim = object('core.v1.PodResourceClaim', '', {
  name: string(''),
  resourceClaimName: string(''),
  resourceClaimTemplateName: string(''),
}, ['name']);
export type PodResourceClaim = Static<typeof PodResourceClaim>;

export const PodSchedulingGate = object('core.v1.PodSchedulingGate', '', {
  name: string(''),
}, ['name']);
export type PodSchedulingGate = Static<typeof PodSchedulingGate>;

export const PodSchedulingGroup = object('core.v1.PodSchedulingGroup', '', {
  podGroupName: string(''),
});
export type PodSchedulingGroup = Static<typeof PodSchedulingGroup>;

export const PodSpec = object('core.v1.PodSpec', '', {
  activeDeadlineSeconds: int64(''),
  affinity: Affinity,
  automountServiceAccountToken: boolean(''),
  containers: list(Container, '', { mapKeys: ['name'], mergeKey: 'name' }),
  dnsConfig: PodDNSConfig,
  dnsPolicy: string(''),
  enableServiceLinks: boolean(''),
  ephemeralContainers: list(EphemeralContainer, '', { mapKeys: ['name'], mergeKey: 'name' }),
  hostAliases: list(HostAlias, '', { mapKeys: ['ip'], mergeKey: 'ip' }),
  hostIPC: boolean(''),
  hostNetwork: boolean(''),
  hostPID: boolean(''),
  hostUsers: boolean(''),
  hostname: string(''),
  hostnameOverride: string(''),
  imagePullSecrets: list(LocalObjectReference, '', { mapKeys: ['name'], mergeKey: 'name' }),
  initContainers: list(Container, '', { mapKeys: ['name'], mergeKey: 'name' }),
  nodeName: string(''),
  nodeSelector: mapOf(string(''), '', { 'x-kubernetes-map-type': 'atomic' }),
  os: PodOS,
  overhead: mapOf(quantity(''), ''),
  preemptionPolicy: string(''),
  priority: int32(''),
  priorityClassName: string(''),
  readinessGates: list(PodReadinessGate, '', { listType: 'atomic' }),
  resourceClaims: list(PodResourceClaim, '', { mapKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
  resources: ResourceRequirements,
  restartPolicy: string(''),
  runtimeClassName: string(''),
  schedulerName: string(''),
  schedulingGates: list(PodSchedulingGate, '', { mapKeys: ['name'], mergeKey: 'name' }),
  schedulingGroup: PodSchedulingGroup,
  securityContext: PodSecurityContext,
  serviceAccount: string(''),
  serviceAccountName: string(''),
  setHostnameAsFQDN: boolean(''),
  shareProcessNamespace: boolean(''),
  subdomain: string(''),
  terminationGracePeriodSeconds: int64(''),
  tolerations: list(Toleration, '', { listType: 'atomic' }),
  topologySpreadConstraints: list(TopologySpreadConstraint, '', { mapKeys: ['topologyKey', 'whenUnsatisfiable'], mergeKey: 'topologyKey' }),
  volumes: list(Volume, '', { mapKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
}, ['containers']);
export type PodSpec = Static<typeof PodSpec>;

export const PodTemplateSpec = object('core.v1.PodTemplateSpec', '', {
  metadata: ObjectMeta,
  spec: PodSpec,
});
export type PodTemplateSpec = Static<typeof PodTemplateSpec>;
