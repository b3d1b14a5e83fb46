import { as, boolean, int32, int64, list, mapOf, object, quantity, string, time, type Static } from '../schema.ts';
import { ResourceRequirements } from '../types/resources.ts';

export const ContainerStateRunning = object('core.v1.ContainerStateRunning', 'A container that runs.', {
  startedAt: time('When it was started.'),
});
export type ContainerStateRunning = Static<typeof ContainerStateRunning>;

export const ContainerStateTerminated = object('core.v1.ContainerStateTerminated', 'A container that ended.', {
  containerID: string('Identity of the container, as runtime://id.'),
  exitCode: int32('Exit code of its process.'),
  finishedAt: time('When it ended.'),
  message: string('Its last words, from the termination message file or the log.'),
  reason: string('Why it ended, in one word.'),
  signal: int32('Signal that ended it.'),
  startedAt: time('When it was started.'),
}, ['exitCode']);
export type ContainerStateTerminated = Static<typeof ContainerStateTerminated>;

export const ContainerStateWaiting = object('core.v1.ContainerStateWaiting', 'A container that does not run yet or not again.', {
  message: string('Explanation for people.'),
  reason: string('What it waits for, in one word.'),
});
export type ContainerStateWaiting = Static<typeof ContainerStateWaiting>;

export const ContainerState = object('core.v1.ContainerState', 'State of a container; one member at most, waiting where there is none.', {
  running: as(ContainerStateRunning, 'Details of a container that runs.'),
  terminated: as(ContainerStateTerminated, 'Details of a container that ended.'),
  waiting: as(ContainerStateWaiting, 'Details of a container that waits.'),
});
export type ContainerState = Static<typeof ContainerState>;

export const LinuxContainerUser = object('core.v1.LinuxContainerUser', 'User of the first process of a container on Linux.', {
  gid: int64('Main group.'),
  supplementalGroups: list(int64('Group.'), 'Further groups.', { listType: 'atomic' }),
  uid: int64('User.'),
}, ['gid', 'uid']);
export type LinuxContainerUser = Static<typeof LinuxContainerUser>;

export const ContainerUser = object('core.v1.ContainerUser', 'User of the first process of a container.', {
  linux: as(LinuxContainerUser, 'User on Linux.'),
});
export type ContainerUser = Static<typeof ContainerUser>;

export const ResourceHealth = object('core.v1.ResourceHealth', 'Health of one device.', {
  health: string('Healthy, Unhealthy or Unknown.'),
  message: string('Explanation for people.'),
  resourceID: string('Identity of the device.'),
}, ['resourceID']);
export type ResourceHealth = Static<typeof ResourceHealth>;

export const ResourceStatus = object('core.v1.ResourceStatus', 'Health of the devices that a container has of one resource.', {
  name: string('Name of the resource.'),
  resources: list(ResourceHealth, 'Health of each device.', { mapKeys: ['resourceID'] }),
}, ['name']);
export type ResourceStatus = Static<typeof ResourceStatus>;

export const ImageVolumeStatus = object('core.v1.ImageVolumeStatus', 'State of a volume that is made of an image.', {
  imageRef: string('Digest of the image that is mounted.'),
}, ['imageRef']);
export type ImageVolumeStatus = Static<typeof ImageVolumeStatus>;

export const VolumeStatus = object('core.v1.VolumeStatus', 'State of a mounted volume, by its sort.', {
  image: as(ImageVolumeStatus, 'State of a volume that is made of an image.'),
});
export type VolumeStatus = Static<typeof VolumeStatus>;

export const VolumeMountStatus = object('core.v1.VolumeMountStatus', 'How a volume is really mounted.', {
  mountPath: string('Path in the container.'),
  name: string('Name of the volume.'),
  readOnly: boolean('Whether it is mounted read-only.'),
  recursiveReadOnly: string('Whether mounts below it are read-only too.'),
  volumeStatus: as(VolumeStatus, 'State of the volume.'),
}, ['mountPath', 'name']);
export type VolumeMountStatus = Static<typeof VolumeMountStatus>;

export const ContainerStatus = object('core.v1.ContainerStatus', 'State of one container of a pod.', {
  allocatedResources: mapOf(quantity('Amount.'), 'Resources that the node has set aside for the container.'),
  allocatedResourcesStatus: list(ResourceStatus, 'Health of the devices of the container.', { mapKeys: ['name'], mergeKey: 'name' }),
  containerID: string('Identity of the container, as runtime://id.'),
  image: string('Name of the image that runs.'),
  imageID: string('Identity of the image that runs.'),
  lastState: as(ContainerState, 'State in which the previous run of the container ended.'),
  name: string('Name of the container.'),
  ready: boolean('Whether its readiness probe succeeds.'),
  resources: as(ResourceRequirements, 'Requests and limits that are in force.'),
  restartCount: int32('How often it has been started again.'),
  started: boolean('Whether its startup probe has succeeded.'),
  state: as(ContainerState, 'State of the container now.'),
  stopSignal: string('Signal by which it is stopped.'),
  user: as(ContainerUser, 'User of its first process.'),
  volumeMounts: list(VolumeMountStatus, 'How its volumes are really mounted.', { mapKeys: ['mountPath'], mergeKey: 'mountPath' }),
}, ['image', 'imageID', 'name', 'ready', 'restartCount']);
export type ContainerStatus = Static<typeof ContainerStatus>;

export const HostIP = object('core.v1.HostIP', 'An address of the node.', {
  ip: string('The address.'),
}, ['ip']);
export type HostIP = Static<typeof HostIP>;

export const PodIP = object('core.v1.PodIP', 'An address of the pod.', {
  ip: string('The address.'),
}, ['ip']);
export type PodIP = Static<typeof PodIP>;

export const PodCondition = object('core.v1.PodCondition', 'One aspect of the state of a pod.', {
  lastProbeTime: time('When the aspect was last looked at.'),
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  observedGeneration: int64('Generation of the pod from which the condition was worked out.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect, such as Ready.'),
}, ['status', 'type']);
export type PodCondition = Static<typeof PodCondition>;

export const PodResourceClaimStatus = object('core.v1.PodResourceClaimStatus', 'State of a claim that was made for the pod.', {
  name: string("Name of the claim in the pod's spec."),
  resourceClaimName: string('Name of the claim that was made.'),
}, ['name']);
export type PodResourceClaimStatus = Static<typeof PodResourceClaimStatus>;

export const ContainerExtendedResourceRequest = object('core.v1.ContainerExtendedResourceRequest', "Which claim serves a container's request for devices.", {
  containerName: string('Name of the container.'),
  requestName: string('Name of the request in the claim.'),
  resourceName: string('Name of the resource.'),
}, ['containerName', 'requestName', 'resourceName']);
export type ContainerExtendedResourceRequest = Static<typeof ContainerExtendedResourceRequest>;

export const PodExtendedResourceClaimStatus = object('core.v1.PodExtendedResourceClaimStatus', "The claim that serves the pod's requests for devices.", {
  requestMappings: list(ContainerExtendedResourceRequest, 'Which request serves which container.', { listType: 'atomic' }),
  resourceClaimName: string('Name of the claim.'),
}, ['requestMappings', 'resourceClaimName']);
export type PodExtendedResourceClaimStatus = Static<typeof PodExtendedResourceClaimStatus>;

export const NodeAllocatableResourceClaimStatus = object('core.v1.NodeAllocatableResourceClaimStatus', "What a claim takes of the node's allocatable resources.", {
  containers: list(string('Container.'), 'Containers that use the claim.', { listType: 'set' }),
  resourceClaimName: string('Name of the claim.'),
  resources: mapOf(quantity('Amount.'), 'Resources taken.'),
}, ['resourceClaimName', 'resources']);
export type NodeAllocatableResourceClaimStatus = Static<typeof NodeAllocatableResourceClaimStatus>;

export const PodStatus = object('core.v1.PodStatus', 'How a pod is.', {
  allocatedResources: mapOf(quantity('Amount.'), 'Resources that the node has set aside for the pod.'),
  conditions: list(PodCondition, "Aspects of the pod's state: PodScheduled, Initialized, ContainersReady, Ready and others.", { mapKeys: ['type'], mergeKey: 'type' }),
  containerStatuses: list(ContainerStatus, 'State of each container.', { listType: 'atomic' }),
  ephemeralContainerStatuses: list(ContainerStatus, 'State of each ephemeral container.', { listType: 'atomic' }),
  extendedResourceClaimStatus: as(PodExtendedResourceClaimStatus, 'The claim that serves requests for devices.'),
  hostIP: string('Address of the node.'),
  hostIPs: list(HostIP, 'All addresses of the node.', { listType: 'atomic', mergeKey: 'ip' }),
  initContainerStatuses: list(ContainerStatus, 'State of each init container.', { listType: 'atomic' }),
  message: string('Explanation for people of why the pod is in this state.'),
  nodeAllocatableResourceClaimStatuses: list(NodeAllocatableResourceClaimStatus, "What claims take of the node's allocatable resources.", { listType: 'atomic' }),
  nominatedNodeName: string('Node on which room is being made for the pod.'),
  observedGeneration: int64('Generation of the pod on which this status is based.'),
  phase: string('Where the pod is in its life.'),
  podIP: string('Address of the pod.'),
  podIPs: list(PodIP, 'All addresses of the pod, one a family.', { mapKeys: ['ip'], mergeKey: 'ip' }),
  qosClass: string('Quality of service, worked out from requests and limits.'),
  reason: string('Why the pod is in this state, in one word, such as Evicted.'),
  resize: string('State of a change of resources that is under way.'),
  resourceClaimStatuses: list(PodResourceClaimStatus, 'State of the claims that were made for the pod.', { mapKeys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
  resources: as(ResourceRequirements, 'Requests and limits of the pod that are in force.'),
  startTime: time('When the node took the pod on.'),
});
export type PodStatus = Static<typeof PodStatus>;
