import { as, boolean, int32, int64, list, mapOf, object, oneOf, quantity, string, type Static } from '../schema.ts';
import { Affinity, Toleration, TopologySpreadConstraint } from '../types/affinity.ts';
import { Container, EphemeralContainer } from '../types/container.ts';
import { ObjectMeta } from '../types/object-meta.ts';
import { LocalObjectReference } from '../types/references.ts';
import { ResourceRequirements } from '../types/resources.ts';
import { PodSecurityContext } from '../types/security-context.ts';
import { Volume } from '../types/volume.ts';

export const HostAlias = object('core.v1.HostAlias', "A line for the pod's hosts file.", {
  hostnames: list(string('Host name.'), 'Names for the address.', { listType: 'atomic' }),
  ip: string('The address.'),
}, ['ip']);
export type HostAlias = Static<typeof HostAlias>;

export const PodDNSConfigOption = object('core.v1.PodDNSConfigOption', 'An option of the resolver.', {
  name: string('Name of the option, such as ndots.'),
  value: string('Its value, if it has one.'),
});
export type PodDNSConfigOption = Static<typeof PodDNSConfigOption>;

export const PodDNSConfig = object('core.v1.PodDNSConfig', 'Settings of the resolver, added to those that the DNS policy gives.', {
  nameservers: list(string('IP address.'), 'Addresses of name servers, at most 3.', { listType: 'atomic' }),
  options: list(PodDNSConfigOption, 'Options of the resolver.', { listType: 'atomic' }),
  searches: list(string('Domain.'), 'Domains that are searched for short names, at most 32.', { listType: 'atomic' }),
});
export type PodDNSConfig = Static<typeof PodDNSConfig>;

export const PodOS = object('core.v1.PodOS', 'The operating system for which the pod is made.', {
  name: oneOf(['linux', 'windows'], 'Name of the system.'),
}, ['name']);
export type PodOS = Static<typeof PodOS>;

export const PodReadinessGate = object('core.v1.PodReadinessGate', 'A condition that must be true before the pod counts as ready.', {
  conditionType: string("Type of the pod's condition."),
}, ['conditionType']);
export type PodReadinessGate = Static<typeof PodReadinessGate>;

export const PodResourceClaim = object('core.v1.PodResourceClaim', "A resource claim that the pod's containers can use.", {
  name: string('Name by which containers refer to the claim.'),
  resourceClaimName: string('Name of a claim that exists.'),
  resourceClaimTemplateName: string('Name of a template from which a claim is made for this pod.'),
}, ['name']);
export type PodResourceClaim = Static<typeof PodResourceClaim>;

export const PodSchedulingGate = object('core.v1.PodSchedulingGate', 'A reason to keep the pod from being scheduled for now.', {
  name: string('Name of the gate.'),
}, ['name']);
export type PodSchedulingGate = Static<typeof PodSchedulingGate>;

export const PodSchedulingGroup = object('core.v1.PodSchedulingGroup', 'The group with which a pod is scheduled.', {
  podGroupName: string('Name of the group.'),
});
export type PodSchedulingGroup = Static<typeof PodSchedulingGroup>;

export const PodSpec = object('core.v1.PodSpec', 'What a pod is to be.', {
  activeDeadlineSeconds: int64('Seconds after its start at which the pod is stopped and counts as failed.'),
  affinity: as(Affinity, 'Rules for the placing of the pod.'),
  automountServiceAccountToken: boolean('False to give the pod no token of its service account.'),
  containers: list(Container, 'The containers of the pod; at least one.', { mapKeys: ['name'], mergeKey: 'name', minItems: 1 }),
  dnsConfig: as(PodDNSConfig, 'Settings of the resolver beside those of the DNS policy.'),
  dnsPolicy: oneOf(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'], 'How the containers resolve names.', { default: 'ClusterFirst' }),
  enableServiceLinks: boolean("Whether containers get environment variables that describe the namespace's services."),
  ephemeralContainers: list(EphemeralContainer, 'Containers added to the running pod; only through the ephemeralcontainers subresource.', { mapKeys: ['name'], mergeKey: 'name' }),
  hostAliases: list(HostAlias, "Lines for the pod's hosts file.", { mapKeys: ['ip'], mergeKey: 'ip', duplicates: 'allowed' }),
  hostIPC: boolean("True to use the node's IPC namespace."),
  hostNetwork: boolean("True to use the node's network; the ports of the containers are then ports of the node."),
  hostPID: boolean("True to see the node's processes."),
  hostUsers: boolean('False to run the pod in a user namespace of its own.'),
  hostname: string('Host name of the pod; its own name where absent.'),
  hostnameOverride: string('Host name of the pod in full, which goes before hostname and subdomain.'),
  imagePullSecrets: list(LocalObjectReference, 'Secrets with credentials for fetching the images.', { mapKeys: ['name'], mergeKey: 'name', duplicates: 'allowed' }),
  initContainers: list(Container, 'Containers that run one after the other, each to its end, before the others start.', { mapKeys: ['name'], mergeKey: 'name' }),
  nodeName: string('Node on which the pod runs; set by the scheduler.'),
  nodeSelector: mapOf(string('Label value.'), 'Labels that the node must have.', { 'x-kubernetes-map-type': 'atomic' }),
  os: as(PodOS, 'Operating system for which the pod is made.'),
  overhead: mapOf(quantity('Amount.'), 'Resources that the pod itself takes beside its containers.'),
  preemptionPolicy: oneOf(['Never', 'PreemptLowerPriority'], 'Whether the pod may push out pods of lower priority.'),
  priority: int32('Priority, worked out from the priority class.'),
  priorityClassName: string('Name of the priority class.'),
  readinessGates: list(PodReadinessGate, 'Conditions that must be true before the pod counts as ready.', { listType: 'atomic' }),
  resourceClaims: list(PodResourceClaim, 'Resource claims that must be met before the pod starts.', { mapKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
  resources: as(ResourceRequirements, 'Resources of the pod as a whole.'),
  restartPolicy: oneOf(['Always', 'OnFailure', 'Never'], 'When containers that ended are started again.', { default: 'Always' }),
  runtimeClassName: string('Class of container runtime to use.'),
  schedulerName: string('Name of the scheduler that places the pod.', { default: 'default-scheduler' }),
  schedulingGates: list(PodSchedulingGate, 'Gates that keep the pod from being scheduled while any is there.', { mapKeys: ['name'], mergeKey: 'name' }),
  schedulingGroup: as(PodSchedulingGroup, 'Group with which the pod is scheduled.'),
  securityContext: as(PodSecurityContext, "Security settings of all containers, and of the pod's volumes.", { 'x-barge-default-object': true }),
  serviceAccount: string('Old name of serviceAccountName.'),
  serviceAccountName: string('Service account under which the pod runs.'),
  setHostnameAsFQDN: boolean("True to make the pod's full domain name its host name."),
  shareProcessNamespace: boolean("True to let the containers see each other's processes."),
  subdomain: string("Domain below that of the namespace, for the pod's full name."),
  terminationGracePeriodSeconds: int64('Seconds between the request to stop and the kill.', { default: 30 }),
  tolerations: list(Toleration, 'Taints that the pod tolerates.', { listType: 'atomic' }),
  topologySpreadConstraints: list(TopologySpreadConstraint, 'How evenly pods of this sort are to be spread.', { mapKeys: ['topologyKey', 'whenUnsatisfiable'], mergeKey: 'topologyKey' }),
  volumes: list(Volume, 'Volumes that the containers can mount.', { mapKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
}, ['containers']);
export type PodSpec = Static<typeof PodSpec>;

export const PodTemplateSpec = object('core.v1.PodTemplateSpec', 'A pattern from which pods are made.', {
  metadata: as(ObjectMeta, 'Labels and annotations of the pods.', { 'x-barge-default-object': true }),
  spec: as(PodSpec, 'What the pods are to be.', { 'x-barge-default-object': true }),
}, ['spec']);
export type PodTemplateSpec = Static<typeof PodTemplateSpec>;
