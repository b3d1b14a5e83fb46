import { boolean, int32, int64, list, mapOf, object, quantity, string, time, type Static } from '../schema.ts';
import { ResourceRequirements } from '../types/resources.ts';

export const ContainerStateRunning = object('core.v1.ContainerStateRunning', '', {
  startedAt: time(''),
});
export type ContainerStateRunning = Static<typeof ContainerStateRunning>;

export const ContainerStateTerminated = object('core.v1.ContainerStateTerminated', '', {
  containerID: string(''),
  exitCode: int32(''),
  finishedAt: time(''),
  message: string(''),
  reason: string(''),
  signal: int32(''),
  startedAt: time(''),
}, ['exitCode']);
export type ContainerStateTerminated = Static<typeof ContainerStateTerminated>;

export const ContainerStateWaiting = object('core.v1.ContainerStateWaiting', '', {
  message: string(''),
  reason: string(''),
});
export type ContainerStateWaiting = Static<typeof ContainerStateWaiting>;

export const ContainerState = object('core.v1.ContainerState', '', {
  running: ContainerStateRunning,
  terminated: ContainerStateTerminated,
  waiting: ContainerStateWaiting,
});
export type ContainerState = Static<typeof ContainerState>;

export const LinuxContainerUser = object('core.v1.LinuxContainerUser', '', {
  gid: int64(''),
  supplementalGroups: list(int64(''), '', { listType: 'atomic' }),
  uid: int64(''),
}, ['gid', 'uid']);
export type LinuxContainerUser = Static<typeof LinuxContainerUser>;

export const ContainerUser = object('core.v1.ContainerUser', '', {
  linux: LinuxContainerUser,
});
export type ContainerUser = Static<typeof ContainerUser>;

export const ResourceHealth = object('core.v1.ResourceHealth', '', {
  health: string(''),
  message: string(''),
  resourceID: string(''),
}, ['resourceID']);
export type ResourceHealth = Static<typeof ResourceHealth>;

export const ResourceStatus = object('core.v1.ResourceStatus', '', {
  name: string(''),
  resources: list(ResourceHealth, '', { mapKeys: ['resourceID'] }),
}, ['name']);
export type ResourceStatus = Static<typeof ResourceStatus>;

export const ImageVolumeStatus = object('core.v1.ImageVolumeStatus', '', {
  imageRef: string(''),
}, ['imageRef']);
export type ImageVolumeStatus = Static<typeof ImageVolumeStatus>;

export const VolumeStatus = object('core.v1.VolumeStatus', '', {
  image: ImageVolumeStatus,
});
export type VolumeStatus = Static<typeof VolumeStatus>;

export const VolumeMountStatus = object('core.v1.VolumeMountStatus', '', {
  mountPath: string(''),
  name: string(''),
  readOnly: boolean(''),
  recursiveReadOnly: string(''),
  volumeStatus: VolumeStatus,
}, ['mountPath', 'name']);
export type VolumeMountStatus = Static<typeof VolumeMountStatus>;

export const ContainerStatus = object('core.v1.ContainerStatus', '', {
  allocatedResources: mapOf(quantity(''), ''),
  allocatedResourcesStatus: list(ResourceStatus, '', { mapKeys: ['name'], mergeKey: 'name' }),
  containerID: string(''),
  image: string(''),
  imageID: string(''),
  lastState: ContainerState,
  name: string(''),
  ready: boolean(''),
  resources: ResourceRequirements,
  restartCount: int32(''),
  started: boolean(''),
  state: ContainerState,
  stopSignal: string(''),
  user: ContainerUser,
  volumeMounts: list(VolumeMountStatus, '', { mapKeys: ['mountPath'], mergeKey: 'mountPath' }),
}, ['image', 'imageID', 'name', 'ready', 'restartCount']);
export type ContainerStatus = Static<typeof ContainerStatus>;

export const HostIP = object('core.v1.HostIP', '', {
  ip: string(''),
}, ['ip']);
export type HostIP = Static<typeof HostIP>;

export const PodIP = object('core.v1.PodIP', '', {
  ip: string(''),
}, ['ip']);
export type PodIP = Static<typeof PodIP>;

export const PodCondition = object('core.v1.PodCondition', '', {
  lastProbeTime: time(''),
  lastTransitionTime: time(''),
  message: string(''),
  observedGeneration: int64(''),
  reason: string(''),
  status: string(''),
  type: string(''),
}, ['status', 'type']);
export type PodCondition = Static<typeof PodCondition>;

export const PodResourceClaimStatus = object('core.v1.PodResourceClaimStatus', '', {
  name: string(''),
  resourceClaimName: string(''),
}, ['name']);
export type PodResourceClaimStatus = Static<typeof PodResourceClaimStatus>;

export const ContainerExtendedResourceRequest = object('core.v1.ContainerExtendedResourceRequest', '', {
  containerName: string(''),
  requestName: string(''),
  resourceName: string(''),
}, ['containerName', 'requestName', 'resourceName']);
export type ContainerExtendedResourceRequest = Static<typeof ContainerExtendedResourceRequest>;

export const PodExtendedResourceClaimStatus = object('core.v1.PodExtendedResourceClaimStatus', '', {
  requestMappings: list(ContainerExtendedResourceRequest, '', { listType: 'atomic' }),
  resourceClaimName: string(''),
}, ['requestMappings', 'resourceClaimName']);
export type PodExtendedResourceClaimStatus = Static<typeof PodExtendedResourceClaimStatus>;

export const NodeAllocatableResourceClaimStatus = object('core.v1.NodeAllocatableResourceClaimStatus', '', {
  containers: list(string(''), '', { listType: 'set' }),
  resourceClaimName: string(''),
  resources: mapOf(quantity(''), ''),
}, ['resourceClaimName', 'resources']);
export type NodeAllocatableResourceClaimStatus = Static<typeof NodeAllocatableResourceClaimStatus>;

export const PodStatus = object('core.v1.PodStatus', '', {
  allocatedResources: mapOf(quantity(''), ''),
  conditions: list(PodCondition, '', { mapKeys: ['type'], mergeKey: 'type' }),
  containerStatuses: list(ContainerStatus, '', { listType: 'atomic' }),
  ephemeralContainerStatuses: list(ContainerStatus, '', { listType: 'atomic' }),
  extendedResourceClaimStatus: PodExtendedResourceClaimStatus,
  hostIP: string(''),
  hostIPs: list(HostIP, '', { listType: 'atomic', mergeKey: 'ip' }),
  initContainerStatuses: list(ContainerStatus, '', { listType: 'atomic' }),
  message: string(''),
  nodeAllocatableResourceClaimStatuses: list(NodeAllocatableResourceClaimStatus, '', { listType: 'atomic' }),
  nominatedNodeName: string(''),
  observedGeneration: int64(''),
  phase: string(''),
  podIP: string(''),
  podIPs: list(PodIP, '', { mapKeys: ['ip'], mergeKey: 'ip' }),
  qosClass: string(''),
  reason: string(''),
  resize: string(''),
  resourceClaimStatuses: list(PodResourceClaimStatus, '', { mapKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
  resources: ResourceRequirements,
  startTime: time(''),
});
export type PodStatus = Static<typeof PodStatus>;
