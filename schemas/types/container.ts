import { as, boolean, int32, list, object, oneOf, string, type Static } from '../schema.ts';
import { EnvFromSource, EnvVar } from '../types/env.ts';
import { Lifecycle, Probe } from '../types/probe.ts';
import { ResourceRequirements } from '../types/resources.ts';
import { SecurityContext } from '../types/security-context.ts';

export const ContainerPort = object('core.v1.ContainerPort', 'A port on which a container listens.', {
  containerPort: int32("Number of the port in the pod's network, 1 to 65535.", { minimum: 1, maximum: 65535 }),
  hostIP: string('Address of the node to which the host port is bound; absent means all.'),
  hostPort: int32('Port of the node that is forwarded to the container, 1 to 65535.'),
  name: string('Name by which services and probes can refer to the port, unique in the pod.'),
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'Transport protocol.', { default: 'TCP' }),
}, ['containerPort']);
export type ContainerPort = Static<typeof ContainerPort>;

export const ContainerResizePolicy = object('core.v1.ContainerResizePolicy', 'What changing one resource of a running container takes.', {
  resourceName: string('Resource that the rule is about.'),
  restartPolicy: oneOf(['NotRequired', 'RestartContainer'], 'Whether the container is restarted for the change.'),
}, ['resourceName', 'restartPolicy']);
export type ContainerResizePolicy = Static<typeof ContainerResizePolicy>;

export const ContainerRestartRuleOnExitCodes = object('core.v1.ContainerRestartRuleOnExitCodes', 'Condition on how a container ended.', {
  operator: oneOf(['In', 'NotIn'], 'Whether the exit code must be one of the values or none of them.'),
  values: list(int32('Exit code.'), 'Exit codes, at most 255 of them.', { listType: 'set', maxItems: 255 }),
}, ['operator']);
export type ContainerRestartRuleOnExitCodes = Static<typeof ContainerRestartRuleOnExitCodes>;

export const ContainerRestartRule = object('core.v1.ContainerRestartRule', 'What to do when a container ends in a certain way.', {
  action: oneOf(['Restart', 'RestartAllContainers'], 'What is done.'),
  exitCodes: as(ContainerRestartRuleOnExitCodes, 'Exit codes for which the rule applies.'),
}, ['action']);
export type ContainerRestartRule = Static<typeof ContainerRestartRule>;

export const VolumeDevice = object('core.v1.VolumeDevice', 'Where a block device appears in a container.', {
  devicePath: string('Path in the container.', { minLength: 1 }),
  name: string("Name of the pod's volume.", { minLength: 1 }),
}, ['devicePath', 'name']);
export type VolumeDevice = Static<typeof VolumeDevice>;

export const VolumeMount = object('core.v1.VolumeMount', 'Where a volume appears in a container.', {
  mountPath: string('Path in the container at which the volume is mounted.', { minLength: 1 }),
  mountPropagation: oneOf(['None', 'HostToContainer', 'Bidirectional'], 'Whether mounts made below this one are seen on the other side.'),
  name: string("Name of the pod's volume.", { minLength: 1 }),
  readOnly: boolean('True to forbid writing.'),
  recursiveReadOnly: oneOf(['Disabled', 'IfPossible', 'Enabled'], 'Whether mounts below a read-only one are read-only too.'),
  subPath: string('Path within the volume that is mounted in place of its root.'),
  subPathExpr: string("As subPath, with $(VAR) replaced from the container's environment."),
}, ['mountPath', 'name']);
export type VolumeMount = Static<typeof VolumeMount>;

export const Container = object('core.v1.Container', 'One container of a pod.', {
  args: list(string('Argument.'), "Arguments of the command, in place of the image's; $(VAR) is replaced from the environment.", { listType: 'atomic' }),
  command: list(string('Word of the command.'), "Program and first arguments in place of the image's entrypoint; not run in a shell.", { listType: 'atomic' }),
  env: list(EnvVar, 'Environment variables; a later one of the same name wins.', { mapKeys: ['name'], mergeKey: 'name', duplicates: 'allowed' }),
  envFrom: list(EnvFromSource, 'ConfigMaps and Secrets whose keys become environment variables.', { listType: 'atomic' }),
  image: string('Name of the image.'),
  imagePullPolicy: oneOf(['Always', 'Never', 'IfNotPresent'], 'When the image is fetched; Always for tag latest or none, else IfNotPresent.'),
  lifecycle: as(Lifecycle, 'What is run after the start and before the stop.'),
  livenessProbe: as(Probe, 'Check whose failure restarts the container.'),
  name: string('Name of the container, a DNS label, unique in the pod.'),
  ports: list(ContainerPort, 'Ports on which the container listens.', { mapKeys: ['containerPort', 'protocol'], mergeKey: 'containerPort', duplicates: 'allowed' }),
  readinessProbe: as(Probe, 'Check whose failure takes the pod out of the endpoints of its services.'),
  resizePolicy: list(ContainerResizePolicy, 'What changing the resources of the running container takes.', { listType: 'atomic' }),
  resources: as(ResourceRequirements, 'Resources that the container asks for and may use.', { 'x-barge-default-object': true }),
  restartPolicy: oneOf(['Always', 'OnFailure', 'Never'], "Always makes an init container a sidecar that keeps running; else the pod's policy holds."),
  restartPolicyRules: list(ContainerRestartRule, 'Rules by exit code that go before the restart policy.', { listType: 'atomic', maxItems: 20 }),
  securityContext: as(SecurityContext, 'User, capabilities and other security settings; they go before those of the pod.'),
  startupProbe: as(Probe, 'Check that must succeed once before the other probes begin.'),
  stdin: boolean('True to keep a buffer for standard input.'),
  stdinOnce: boolean('True to close standard input after the first attach ends.'),
  terminationMessagePath: string('File in the container whose content becomes the message of its end.', { default: '/dev/termination-log' }),
  terminationMessagePolicy: oneOf(['File', 'FallbackToLogsOnError'], 'Where the message comes from when the file is empty.', { default: 'File' }),
  tty: boolean('True to give the container a terminal; needs stdin.'),
  volumeDevices: list(VolumeDevice, 'Block devices of the container.', { mapKeys: ['devicePath'], mergeKey: 'devicePath', duplicates: 'allowed' }),
  volumeMounts: list(VolumeMount, 'Volumes of the container.', { mapKeys: ['mountPath'], mergeKey: 'mountPath', duplicates: 'allowed' }),
  workingDir: string("Working directory, in place of the image's."),
}, ['name']);
export type Container = Static<typeof Container>;

export const EphemeralContainer = object('core.v1.EphemeralContainer', 'A container that is added to a running pod, to look into it.', {
  args: list(string('Argument.'), "Arguments of the command, in place of the image's; $(VAR) is replaced from the environment.", { listType: 'atomic' }),
  command: list(string('Word of the command.'), "Program and first arguments in place of the image's entrypoint; not run in a shell.", { listType: 'atomic' }),
  env: list(EnvVar, 'Environment variables; a later one of the same name wins.', { mapKeys: ['name'], mergeKey: 'name', duplicates: 'allowed' }),
  envFrom: list(EnvFromSource, 'ConfigMaps and Secrets whose keys become environment variables.', { listType: 'atomic' }),
  image: string('Name of the image.'),
  imagePullPolicy: oneOf(['Always', 'Never', 'IfNotPresent'], 'When the image is fetched; Always for tag latest or none, else IfNotPresent.'),
  lifecycle: as(Lifecycle, 'Not allowed for ephemeral containers.'),
  livenessProbe: as(Probe, 'Not allowed for ephemeral containers.'),
  name: string('Name of the container, a DNS label, unique in the pod.'),
  ports: list(ContainerPort, 'Not allowed for ephemeral containers.', { mapKeys: ['containerPort', 'protocol'], mergeKey: 'containerPort', duplicates: 'allowed' }),
  readinessProbe: as(Probe, 'Not allowed for ephemeral containers.'),
  resizePolicy: list(ContainerResizePolicy, 'Not allowed for ephemeral containers.', { listType: 'atomic' }),
  resources: as(ResourceRequirements, 'Not allowed for ephemeral containers.', { 'x-barge-default-object': true }),
  restartPolicy: oneOf(['Always', 'OnFailure', 'Never'], 'Not allowed for ephemeral containers.'),
  restartPolicyRules: list(ContainerRestartRule, 'Not allowed for ephemeral containers.', { listType: 'atomic' }),
  securityContext: as(SecurityContext, 'User, capabilities and other security settings; they go before those of the pod.'),
  startupProbe: as(Probe, 'Not allowed for ephemeral containers.'),
  stdin: boolean('True to keep a buffer for standard input.'),
  stdinOnce: boolean('True to close standard input after the first attach ends.'),
  targetContainerName: string('Container of the pod whose processes this one sees.'),
  terminationMessagePath: string('File in the container whose content becomes the message of its end.', { default: '/dev/termination-log' }),
  terminationMessagePolicy: oneOf(['File', 'FallbackToLogsOnError'], 'Where the message comes from when the file is empty.', { default: 'File' }),
  tty: boolean('True to give the container a terminal; needs stdin.'),
  volumeDevices: list(VolumeDevice, 'Block devices of the container.', { mapKeys: ['devicePath'], mergeKey: 'devicePath', duplicates: 'allowed' }),
  volumeMounts: list(VolumeMount, 'Volumes of the container; sub-paths are not allowed.', { mapKeys: ['mountPath'], mergeKey: 'mountPath', duplicates: 'allowed' }),
  workingDir: string("Working directory, in place of the image's."),
}, ['name']);
export type EphemeralContainer = Static<typeof EphemeralContainer>;
