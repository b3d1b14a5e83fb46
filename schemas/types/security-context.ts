import { boolean, int64, list, object, string, type Static } from '../schema.ts';

export const AppArmorProfile = object('core.v1.AppArmorProfile', '', {
  localhostProfile: string(''),
  type: string(''),
}, ['type']);
export type AppArmorProfile = Static<typeof AppArmorProfile>;

export const Capabilities = object('core.v1.Capabilities', '', {
  add: list(string(''), '', { listType: 'atomic' }),
  drop: list(string(''), '', { listType: 'atomic' }),
});
export type Capabilities = Static<typeof Capabilities>;

export const SELinuxOptions = object('core.v1.SELinuxOptions', '', {
  level: string(''),
  role: string(''),
  type: string(''),
  user: string(''),
});
export type SELinuxOptions = Static<typeof SELinuxOptions>;

export const SeccompProfile = object('core.v1.SeccompProfile', '', {
  localhostProfile: string(''),
  type: string(''),
}, ['type']);
export type SeccompProfile = Static<typeof SeccompProfile>;

export const WindowsSecurityContextOptions = object('core.v1.WindowsSecurityContextOptions', '', {
  gmsaCredentialSpec: string(''),
  gmsaCredentialSpecName: string(''),
  hostProcess: boolean(''),
  runAsUserName: string(''),
});
export type WindowsSecurityContextOptions = Static<typeof WindowsSecurityContextOptions>;

export const Sysctl = object('core.v1.Sysctl', '', {
  name: string(''),
  value: string(''),
}, ['name', 'value']);
export type Sysctl = Static<typeof Sysctl>;

export const SecurityContext = object('core.v1.SecurityContext', '', {
  allowPrivilegeEscalation: boolean(''),
  appArmorProfile: AppArmorProfile,
  capabilities: Capabilities,
  privileged: boolean(''),
  procMount: string(''),
  readOnlyRootFilesystem: boolean(''),
  runAsGroup: int64(''),
  runAsNonRoot: boolean(''),
  runAsUser: int64(''),
  seLinuxOptions: SELinuxOptions,
  seccompProfile: SeccompProfile,
  windowsOptions: WindowsSecurityContextOptions,
});
export type SecurityContext = Static<typeof SecurityContext>;

export const PodSecurityContext = object('core.v1.PodSecurityContext', '', {
  appArmorProfile: AppArmorProfile,
  fsGroup: int64(''),
  fsGroupChangePolicy: string(''),
  runAsGroup: int64(''),
  runAsNonRoot: boolean(''),
  runAsUser: int64(''),
  seLinuxChangePolicy: string(''),
  seLinuxOptions: SELinuxOptions,
  seccompProfile: SeccompProfile,
  supplementalGroups: list(int64(''), '', { listType: 'atomic' }),
  supplementalGroupsPolicy: string(''),
  sysctls: list(Sysctl, '', { listType: 'atomic' }),
  windowsOptions: WindowsSecurityContextOptions,
});
export type PodSecurityContext = Static<typeof PodSecurityContext>;
