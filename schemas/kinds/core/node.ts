import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, int32, int64, list, mapOf, object, quantity, string, time, type Static } from '../../schema.ts';
import { Taint } from '../../types/affinity.ts';

export const ConfigMapNodeConfigSource = object('core.v1.ConfigMapNodeConfigSource', '', {
  kubeletConfigKey: string(''),
  name: string(''),
  namespace: string(''),
  resourceVersion: string(''),
  uid: string(''),
}, ['kubeletConfigKey', 'name', 'namespace']);
export type ConfigMapNodeConfigSource = Static<typeof ConfigMapNodeConfigSource>;

export const NodeConfigSource = object('core.v1.NodeConfigSource', '', {
  configMap: ConfigMapNodeConfigSource,
});
export type NodeConfigSource = Static<typeof NodeConfigSource>;

export const NodeSpec = object('core.v1.NodeSpec', '', {
  configSource: NodeConfigSource,
  externalID: string(''),
  podCIDR: string(''),
  podCIDRs: list(string(''), '', { listType: 'set', patch: 'merge' }),
  providerID: string(''),
  taints: list(Taint, '', { listType: 'atomic' }),
  unschedulable: boolean(''),
});
export type NodeSpec = Static<typeof NodeSpec>;

export const NodeAddress = object('core.v1.NodeAddress', '', {
  address: string(''),
  type: string(''),
}, ['address', 'type']);
export type NodeAddress = Static<typeof NodeAddress>;

export const NodeCondition = object('core.v1.NodeCondition', '', {
  lastHeartbeatTime: time(''),
  lastTransitionTime: time(''),
  message: string(''),
  reason: string(''),
  status: string(''),
  type: string(''),
}, ['status', 'type']);
export type NodeCondition = Static<typeof NodeCondition>;

export const NodeConfigStatus = object('core.v1.NodeConfigStatus', '', {
  active: NodeConfigSource,
  assigned: NodeConfigSource,
  error: string(''),
  lastKnownGood: NodeConfigSource,
});
export type NodeConfigStatus = Static<typeof NodeConfigStatus>;

export const DaemonEndpoint = object('core.v1.DaemonEndpoint', '', {
  Port: int32(''),
}, ['Port']);
export type DaemonEndpoint = Static<typeof DaemonEndpoint>;

export const NodeDaemonEndpoints = object('core.v1.NodeDaemonEndpoints', '', {
  kubeletEndpoint: DaemonEndpoint,
});
export type NodeDaemonEndpoints = Static<typeof NodeDaemonEndpoints>;

export const NodeFeatures = object('core.v1.NodeFeatures', '', {
  supplementalGroupsPolicy: boolean(''),
});
export type NodeFeatures = Static<typeof NodeFeatures>;

export const NodeRuntimeHandlerFeatures = object('core.v1.NodeRuntimeHandlerFeatures', '', {
  recursiveReadOnlyMounts: boolean(''),
  userNamespaces: boolean(''),
});
export type NodeRuntimeHandlerFeatures = Static<typeof NodeRuntimeHandlerFeatures>;

export const NodeRuntimeHandler = object('core.v1.NodeRuntimeHandler', '', {
  features: NodeRuntimeHandlerFeatures,
  name: string(''),
});
export type NodeRuntimeHandler = Static<typeof NodeRuntimeHandler>;

export const NodeSwapStatus = object('core.v1.NodeSwapStatus', '', {
  capacity: int64(''),
});
export type NodeSwapStatus = Static<typeof NodeSwapStatus>;

export const NodeSystemInfo = object('core.v1.NodeSystemInfo', '', {
  architecture: string(''),
  bootID: string(''),
  containerRuntimeVersion: string(''),
  kernelVersion: string(''),
  kubeProxyVersion: string(''),
  kubeletVersion: string(''),
  machineID: string(''),
  operatingSystem: string(''),
  osImage: string(''),
  swap: NodeSwapStatus,
  systemUUID: string(''),
}, ['architecture', 'bootID', 'containerRuntimeVersion', 'kernelVersion', 'kubeProxyVersion', 'kubeletVersion', 'machineID', 'operatingSystem', 'osImage', 'systemUUID']);
export type NodeSystemInfo = Static<typeof NodeSystemInfo>;

export const AttachedVolume = object('core.v1.AttachedVolume', '', {
  devicePath: string(''),
  name: string(''),
}, ['devicePath', 'name']);
export type AttachedVolume = Static<typeof AttachedVolume>;

export const ContainerImage = object('core.v1.ContainerImage', '', {
  names: list(string(''), '', { listType: 'atomic' }),
  sizeBytes: int64(''),
});
export type ContainerImage = Static<typeof ContainerImage>;

export const NodeStatus = object('core.v1.NodeStatus', '', {
  addresses: list(NodeAddress, '', { mapKeys: ['type'], mergeKey: 'type' }),
  allocatable: mapOf(quantity(''), ''),
  capacity: mapOf(quantity(''), ''),
  conditions: list(NodeCondition, '', { mapKeys: ['type'], mergeKey: 'type' }),
  config: NodeConfigStatus,
  daemonEndpoints: NodeDaemonEndpoints,
  declaredFeatures: list(string(''), '', { listType: 'atomic' }),
  features: NodeFeatures,
  images: list(ContainerImage, '', { listType: 'atomic' }),
  nodeInfo: NodeSystemInfo,
  phase: string(''),
  runtimeHandlers: list(NodeRuntimeHandler, '', { listType: 'atomic' }),
  volumesAttached: list(AttachedVolume, '', { listType: 'atomic' }),
  volumesInUse: list(string(''), '', { listType: 'atomic' }),
});
export type NodeStatus = Static<typeof NodeStatus>;

const schema = topLevel('core.v1.Node', '', {
  spec: NodeSpec,
  status: NodeStatus,
});

export const Node = defineKind(schema, {
  group: '', version: 'v1', kind: 'Node', plural: 'nodes', scope: 'Cluster',
  shortNames: ['no'],
  subresources: { status: true },
  columns: [],
});
export type Node = BodyOf<typeof Node>;
