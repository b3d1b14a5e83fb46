import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, boolean, int32, int64, list, mapOf, object, quantity, string, time, type Static } from '../../schema.ts';
import { orNone } from '../../table-cells.ts';
import { Taint } from '../../types/affinity.ts';
import { validateNode, validateNodeStatus } from '../../validation/node.ts';

export const ConfigMapNodeConfigSource = object('core.v1.ConfigMapNodeConfigSource', "A ConfigMap with settings of a node's agent; not used any more.", {
  kubeletConfigKey: string('Key of the settings.'),
  name: string('Name of the ConfigMap.'),
  namespace: string('Namespace of the ConfigMap.'),
  resourceVersion: string('Version of the ConfigMap.'),
  uid: string('UID of the ConfigMap.'),
}, ['kubeletConfigKey', 'name', 'namespace']);
export type ConfigMapNodeConfigSource = Static<typeof ConfigMapNodeConfigSource>;

export const NodeConfigSource = object('core.v1.NodeConfigSource', "Where a node's agent has its settings from; not used any more.", {
  configMap: as(ConfigMapNodeConfigSource, 'A ConfigMap with the settings.'),
});
export type NodeConfigSource = Static<typeof NodeConfigSource>;

export const NodeSpec = object('core.v1.NodeSpec', 'What a node is to be.', {
  configSource: as(NodeConfigSource, 'Where the agent has its settings from; not used any more.'),
  externalID: string('Old identity at the provider.'),
  podCIDR: string('Range of the addresses of its pods.'),
  podCIDRs: list(string('CIDR.'), 'Ranges of the addresses of its pods, one a family; the first equals podCIDR.', { listType: 'set', patch: 'merge', maxItems: 2 }),
  providerID: string('Identity at the provider.'),
  taints: list(Taint, 'Marks that keep pods away.', { listType: 'atomic' }),
  unschedulable: boolean('True to place no new pods on the node.'),
});
export type NodeSpec = Static<typeof NodeSpec>;

export const NodeAddress = object('core.v1.NodeAddress', 'An address of a node.', {
  address: string('The address.'),
  type: string('Sort of address, such as InternalIP or Hostname.'),
}, ['address', 'type']);
export type NodeAddress = Static<typeof NodeAddress>;

export const NodeCondition = object('core.v1.NodeCondition', 'One aspect of the state of a node.', {
  lastHeartbeatTime: time('When the aspect was last reported.'),
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect, such as Ready.'),
}, ['status', 'type']);
export type NodeCondition = Static<typeof NodeCondition>;

export const NodeConfigStatus = object('core.v1.NodeConfigStatus', "Which settings a node's agent uses; not used any more.", {
  active: as(NodeConfigSource, 'Settings in use.'),
  assigned: as(NodeConfigSource, 'Settings that are to be used.'),
  error: string('What is wrong with them.'),
  lastKnownGood: as(NodeConfigSource, 'Settings that last worked.'),
});
export type NodeConfigStatus = Static<typeof NodeConfigStatus>;

export const DaemonEndpoint = object('core.v1.DaemonEndpoint', 'A port of a daemon.', {
  Port: int32('Number of the port.'),
}, ['Port']);
export type DaemonEndpoint = Static<typeof DaemonEndpoint>;

export const NodeDaemonEndpoints = object('core.v1.NodeDaemonEndpoints', 'Ports of the daemons of a node.', {
  kubeletEndpoint: as(DaemonEndpoint, 'Port of the node agent.'),
});
export type NodeDaemonEndpoints = Static<typeof NodeDaemonEndpoints>;

export const NodeFeatures = object('core.v1.NodeFeatures', 'What a node can do.', {
  supplementalGroupsPolicy: boolean('Whether it knows the policy for supplemental groups.'),
});
export type NodeFeatures = Static<typeof NodeFeatures>;

export const NodeRuntimeHandlerFeatures = object('core.v1.NodeRuntimeHandlerFeatures', 'What a runtime handler can do.', {
  recursiveReadOnlyMounts: boolean('Whether it can make mounts read-only all the way down.'),
  userNamespaces: boolean('Whether it can run pods in user namespaces.'),
});
export type NodeRuntimeHandlerFeatures = Static<typeof NodeRuntimeHandlerFeatures>;

export const NodeRuntimeHandler = object('core.v1.NodeRuntimeHandler', 'A runtime handler of a node.', {
  features: as(NodeRuntimeHandlerFeatures, 'What it can do.'),
  name: string('Name of the handler; empty for the usual one.'),
});
export type NodeRuntimeHandler = Static<typeof NodeRuntimeHandler>;

export const NodeSwapStatus = object('core.v1.NodeSwapStatus', 'Swap space of a node.', {
  capacity: int64('Its size in bytes.'),
});
export type NodeSwapStatus = Static<typeof NodeSwapStatus>;

export const NodeSystemInfo = object('core.v1.NodeSystemInfo', 'What a node is made of.', {
  architecture: string('Architecture of the processor.'),
  bootID: string('Identity of the present boot.'),
  containerRuntimeVersion: string('Container runtime and its version.'),
  kernelVersion: string('Version of the kernel.'),
  kubeProxyVersion: string('Version of the service proxy; not used any more.'),
  kubeletVersion: string('Version of the node agent.'),
  machineID: string('Identity of the machine.'),
  operatingSystem: string('Operating system.'),
  osImage: string('Name and version of the distribution.'),
  swap: as(NodeSwapStatus, 'Swap space.'),
  systemUUID: string('Identity of the hardware.'),
}, ['architecture', 'bootID', 'containerRuntimeVersion', 'kernelVersion', 'kubeProxyVersion', 'kubeletVersion', 'machineID', 'operatingSystem', 'osImage', 'systemUUID']);
export type NodeSystemInfo = Static<typeof NodeSystemInfo>;

export const AttachedVolume = object('core.v1.AttachedVolume', 'A volume that is attached to a node.', {
  devicePath: string('Device on the node.'),
  name: string('Name of the volume.'),
}, ['devicePath', 'name']);
export type AttachedVolume = Static<typeof AttachedVolume>;

export const ContainerImage = object('core.v1.ContainerImage', 'An image on a node.', {
  names: list(string('Name.'), 'Names by which it is known.', { listType: 'atomic' }),
  sizeBytes: int64('Its size in bytes.'),
});
export type ContainerImage = Static<typeof ContainerImage>;

export const NodeStatus = object('core.v1.NodeStatus', 'How a node is.', {
  addresses: list(NodeAddress, 'Addresses of the node.', { mapKeys: ['type'], mergeKey: 'type', duplicates: 'allowed' }),
  allocatable: mapOf(quantity('Amount.'), 'Resources that pods may ask for; capacity where absent.'),
  capacity: mapOf(quantity('Amount.'), 'Resources that the node has.'),
  conditions: list(NodeCondition, "Aspects of the node's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  config: as(NodeConfigStatus, 'Which settings the agent uses; not used any more.'),
  daemonEndpoints: as(NodeDaemonEndpoints, "Ports of the node's daemons.", { 'x-barge-default-object': true }),
  declaredFeatures: list(string('Feature.'), 'Features that the node declares.', { listType: 'atomic' }),
  features: as(NodeFeatures, 'What the node can do.'),
  images: list(ContainerImage, 'Images on the node.', { listType: 'atomic' }),
  nodeInfo: as(NodeSystemInfo, 'What the node is made of.'),
  phase: string('Not used any more.'),
  runtimeHandlers: list(NodeRuntimeHandler, 'Its runtime handlers.', { listType: 'atomic' }),
  volumesAttached: list(AttachedVolume, 'Volumes that are attached.', { listType: 'atomic' }),
  volumesInUse: list(string('Volume.'), 'Volumes that are in use.', { listType: 'atomic' }),
});
export type NodeStatus = Static<typeof NodeStatus>;

const schema = topLevel('core.v1.Node', 'A machine that runs pods.', {
  spec: as(NodeSpec, 'What the node is to be.', { 'x-barge-default-object': true }),
  status: as(NodeStatus, 'How it is.'),
});

const rolePrefix = 'node-role.kubernetes.io/';

const rolesOf = (labels: Readonly<Record<string, string>> | undefined): string => {
  const roles = Object.entries(labels ?? {}).flatMap(([key, value]) =>
    key.startsWith(rolePrefix) ? [key.slice(rolePrefix.length)] : key === 'kubernetes.io/role' ? [value] : []);
  return orNone([...new Set(roles.filter((role) => role !== ''))].sort().join(','));
};

const statusCell = ({ spec, status }: { readonly spec?: NodeSpec | undefined; readonly status?: NodeStatus | undefined }): string => {
  const ready = status?.conditions?.find((one) => one.type === 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
};

const addressCell = (status: NodeStatus | undefined, type: string): string => orNone(status?.addresses?.find((one) => one.type === type)?.address);

const orUnknown = (text: string | undefined): string => (text === undefined || text === '' ? '<unknown>' : text);

export const Node = defineKind(schema, {
  group: '', version: 'v1', kind: 'Node', plural: 'nodes', scope: 'Cluster',
  generationCounts: [],
  shortNames: ['no'],
  fields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  columns: [
    nameColumn,
    column('Status', 'Whether the node is ready and takes pods.', statusCell),
    column('Roles', 'Roles of the node, by its labels.', ({ metadata }) => rolesOf(metadata.labels)),
    ageColumn,
    column('Version', 'Version of the node agent.', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    column('Internal-IP', 'Address inside of the cluster.', ({ status }) => addressCell(status, 'InternalIP'), { shown: 'wide' }),
    column('External-IP', 'Address outside of the cluster.', ({ status }) => addressCell(status, 'ExternalIP'), { shown: 'wide' }),
    column('OS-Image', 'Name and version of the distribution.', ({ status }) => orUnknown(status?.nodeInfo?.osImage), { shown: 'wide' }),
    column('Kernel-Version', 'Version of the kernel.', ({ status }) => orUnknown(status?.nodeInfo?.kernelVersion), { shown: 'wide' }),
    column('Container-Runtime', 'Container runtime and its version.', ({ status }) => orUnknown(status?.nodeInfo?.containerRuntimeVersion), { shown: 'wide' }),
  ],
  subresources: { status: true, special: { proxy: { kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] } } },
  // Who registers a node says how it is in the same breath.
  initialStatus: ({ status }) => status ?? {},
  prepare: ({ spec, status }) => {
    if (spec !== undefined) {
      if (spec.podCIDR !== undefined && spec.podCIDR !== '' && spec.podCIDRs === undefined) spec.podCIDRs = [spec.podCIDR];
      const first = spec.podCIDRs?.[0];
      if (first !== undefined) spec.podCIDR ??= first;
    }
    if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
  },
  validate: validateNode,
  validateStatus: (node) => validateNodeStatus(node),
});
export type Node = BodyOf<typeof Node>;
