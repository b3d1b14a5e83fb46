import { duplicate, forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { whyNotLocalPath } from '../names.ts';
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from '../types/security-context.ts';

/** Highest user and group id of Kubernetes. */
const highestId = 2 ** 31 - 1;

const validateId = (id: number | undefined, field: string): readonly FieldError[] =>
  id === undefined || (id >= 0 && id <= highestId) ? [] : [wrong(field, id, `must be between 0 and ${highestId}, inclusive`)];

const validateProfile = (profile: SeccompProfile | AppArmorProfile | undefined, field: string, sort: 'seccomp' | 'apparmor'): readonly FieldError[] => {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  if (type !== 'Localhost') return localhostProfile === undefined ? [] : [wrong(`${field}.localhostProfile`, localhostProfile, 'can only be set when `type` is Localhost')];
  if (localhostProfile === undefined || localhostProfile.trim() === '') return [required(`${field}.localhostProfile`, 'must be set when `type` is Localhost')];
  if (sort === 'seccomp') return refused(`${field}.localhostProfile`, localhostProfile, whyNotLocalPath(localhostProfile));
  return localhostProfile.length > 4095 ? [wrong(`${field}.localhostProfile`, localhostProfile, 'must be no more than 4095 characters')] : [];
};

/** Settings of one container; `hostUsers` is the pod's. */
export const validateSecurityContext = (context: SecurityContext | undefined, field: string, hostUsers: boolean | undefined): readonly FieldError[] => {
  if (context === undefined) return [];
  const errors: FieldError[] = [
    ...validateId(context.runAsUser, `${field}.runAsUser`),
    ...validateId(context.runAsGroup, `${field}.runAsGroup`),
    ...validateProfile(context.seccompProfile, `${field}.seccompProfile`, 'seccomp'),
    ...validateProfile(context.appArmorProfile, `${field}.appArmorProfile`, 'apparmor'),
  ];
  if (context.procMount === 'Unmasked' && hostUsers !== false) errors.push(wrong(`${field}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) errors.push(wrong(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    if (context.capabilities?.add?.some((one) => one === 'SYS_ADMIN' || one === 'CAP_SYS_ADMIN')) errors.push(wrong(field, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
  }
  return errors;
};

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9][-_a-z0-9./*]*$/;

const validateSysctls = (sysctls: PodSecurityContext['sysctls'], field: string, host: { readonly network: boolean; readonly ipc: boolean }): readonly FieldError[] => {
  const seen = new Set<string>();
  return (sysctls ?? []).flatMap(({ name }, index) => {
    const at = `${field}[${index}].name`;
    if (name === '') return [required(at)];
    const errors: FieldError[] = [];
    if (name.length > 253 || !sysctlName.test(name)) errors.push(wrong(at, name, "must be the name of a kernel parameter of at most 253 characters (for example 'kernel.shm_rmid_forced')"));
    const plain = name.replaceAll('/', '.');
    if (seen.has(plain)) errors.push(duplicate(at, name));
    seen.add(plain);
    if (host.network && plain.startsWith('net.')) errors.push(wrong(at, name, 'may not be specified when `hostNetwork` is true'));
    if (host.ipc && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(plain)) errors.push(wrong(at, name, 'may not be specified when `hostIPC` is true'));
    return errors;
  });
};

/** Settings of the pod as a whole. */
export const validatePodSecurityContext = (context: PodSecurityContext | undefined, field: string, host: { readonly network: boolean; readonly ipc: boolean }): readonly FieldError[] => {
  if (context === undefined) return [];
  return [
    ...validateId(context.runAsUser, `${field}.runAsUser`),
    ...validateId(context.runAsGroup, `${field}.runAsGroup`),
    ...validateId(context.fsGroup, `${field}.fsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((id, index) => validateId(id, `${field}.supplementalGroups[${index}]`)),
    ...validateProfile(context.seccompProfile, `${field}.seccompProfile`, 'seccomp'),
    ...validateProfile(context.appArmorProfile, `${field}.appArmorProfile`, 'apparmor'),
    ...validateSysctls(context.sysctls, `${field}.sysctls`, host),
    ...(context.windowsOptions?.hostProcess === true && !host.network ? [forbidden(`${field}.windowsOptions.hostProcess`, 'needs `hostNetwork` to be true')] : []),
  ];
};
