import { as, boolean, int64, list, object, oneOf, string, type Static } from '../schema.ts';

export const AppArmorProfile = object('core.v1.AppArmorProfile', 'An AppArmor profile.', {
  localhostProfile: string('Name of a profile that is loaded on the node, for type Localhost.'),
  type: oneOf(['Localhost', 'RuntimeDefault', 'Unconfined'], 'Where the profile comes from.'),
}, ['type']);
export type AppArmorProfile = Static<typeof AppArmorProfile>;

export const Capabilities = object('core.v1.Capabilities', 'Linux capabilities that are added or taken away.', {
  add: list(string('Capability.'), 'Capabilities to add.', { listType: 'atomic' }),
  drop: list(string('Capability.'), 'Capabilities to take away; ALL means all.', { listType: 'atomic' }),
});
export type Capabilities = Static<typeof Capabilities>;

export const SELinuxOptions = object('core.v1.SELinuxOptions', 'An SELinux label.', {
  level: string('Level part of the label.'),
  role: string('Role part of the label.'),
  type: string('Type part of the label.'),
  user: string('User part of the label.'),
});
export type SELinuxOptions = Static<typeof SELinuxOptions>;

export const SeccompProfile = object('core.v1.SeccompProfile', 'A seccomp profile.', {
  localhostProfile: string("Path of a profile below the agent's folder of profiles, for type Localhost."),
  type: oneOf(['Localhost', 'RuntimeDefault', 'Unconfined'], 'Where the profile comes from.'),
}, ['type']);
export type SeccompProfile = Static<typeof SeccompProfile>;

export const WindowsSecurityContextOptions = object('core.v1.WindowsSecurityContextOptions', 'Security settings of Windows containers.', {
  gmsaCredentialSpec: string('Text of the GMSA credential spec.'),
  gmsaCredentialSpecName: string('Name of the GMSA credential spec.'),
  hostProcess: boolean('True to run as a process of the host.'),
  runAsUserName: string('User under which the process runs.'),
});
export type WindowsSecurityContextOptions = Static<typeof WindowsSecurityContextOptions>;

export const Sysctl = object('core.v1.Sysctl', 'A kernel parameter of the pod.', {
  name: string('Name of the parameter.'),
  value: string('Its value.'),
}, ['name', 'value']);
export type Sysctl = Static<typeof Sysctl>;

export const SecurityContext = object('core.v1.SecurityContext', 'Security settings of one container.', {
  allowPrivilegeEscalation: boolean('Whether a process may gain more rights than its parent.'),
  appArmorProfile: as(AppArmorProfile, 'AppArmor profile of the container.'),
  capabilities: as(Capabilities, 'Capabilities that are added or taken away.'),
  privileged: boolean('True to give the container nearly all rights of root on the node.'),
  procMount: oneOf(['Default', 'Unmasked'], 'How /proc is mounted.'),
  readOnlyRootFilesystem: boolean("True to forbid writing to the container's own file system."),
  runAsGroup: int64('Main group of the process.'),
  runAsNonRoot: boolean('True to refuse to start the container as root.'),
  runAsUser: int64('User of the process.'),
  seLinuxOptions: as(SELinuxOptions, 'SELinux label of the container.'),
  seccompProfile: as(SeccompProfile, 'Seccomp profile of the container.'),
  windowsOptions: as(WindowsSecurityContextOptions, 'Settings for Windows.'),
});
export type SecurityContext = Static<typeof SecurityContext>;

export const PodSecurityContext = object('core.v1.PodSecurityContext', 'Security settings of all containers of a pod, and of its volumes.', {
  appArmorProfile: as(AppArmorProfile, 'AppArmor profile of the containers.'),
  fsGroup: int64('Group that owns the files of the volumes and that all containers belong to.'),
  fsGroupChangePolicy: oneOf(['Always', 'OnRootMismatch'], "When the ownership of a volume's files is changed."),
  runAsGroup: int64('Main group of the processes.'),
  runAsNonRoot: boolean('True to refuse to start containers as root.'),
  runAsUser: int64('User of the processes.'),
  seLinuxChangePolicy: oneOf(['MountOption', 'Recursive'], 'How SELinux labels are put on volumes.'),
  seLinuxOptions: as(SELinuxOptions, 'SELinux label of the containers.'),
  seccompProfile: as(SeccompProfile, 'Seccomp profile of the containers.'),
  supplementalGroups: list(int64('Group.'), 'Further groups of the processes.', { listType: 'atomic' }),
  supplementalGroupsPolicy: oneOf(['Merge', 'Strict'], "Whether groups from the image's group file are added."),
  sysctls: list(Sysctl, 'Kernel parameters of the pod.', { listType: 'atomic' }),
  windowsOptions: as(WindowsSecurityContextOptions, 'Settings for Windows.'),
});
export type PodSecurityContext = Static<typeof PodSecurityContext>;
