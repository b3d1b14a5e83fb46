/** What securityContext means for the engine, and a clear refusal of what the engine cannot do. */
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import { ConfigError, unsupported } from './config-error.ts';
import type { ContainerSpec } from './runtime/runtime.ts';

export type Security = Pick<ContainerSpec,
  'user' | 'supplementalGroups' | 'privileged' | 'readOnlyRootFilesystem' | 'capabilitiesAdd' | 'capabilitiesDrop' | 'noNewPrivileges' | 'seccompUnconfined'>;

/** `CAP_net_admin`, `net_admin` and `NET_ADMIN` are the same. */
const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');

const seccompOf = (profile: { readonly type: string } | undefined, privileged: boolean): boolean => {
  if (profile === undefined) return privileged;
  if (profile.type === 'Localhost') throw unsupported('securityContext.seccompProfile of type Localhost');
  return profile.type === 'Unconfined';
};

/**
 * `imageUser` is the user of the image's own configuration; it is asked for only when the answer matters. Throws
 * ConfigError when the context cannot be held.
 */
export const security = async (pod: Pod, container: Container, imageUser: () => Promise<string>): Promise<Security> => {
  const ofPod = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
  if ((own.seLinuxOptions ?? ofPod.seLinuxOptions) !== undefined) throw unsupported('securityContext.seLinuxOptions');
  if ((own.windowsOptions ?? ofPod.windowsOptions) !== undefined) throw unsupported('securityContext.windowsOptions');
  if (own.procMount !== undefined && own.procMount !== 'Default') throw unsupported(`securityContext.procMount ${own.procMount}`);
  const appArmor = own.appArmorProfile ?? ofPod.appArmorProfile;
  if (appArmor?.type === 'Localhost') throw unsupported('securityContext.appArmorProfile of type Localhost');

  const privileged = own.privileged ?? false;
  const runAsUser = own.runAsUser ?? ofPod.runAsUser;
  const runAsGroup = own.runAsGroup ?? ofPod.runAsGroup;
  if (own.runAsNonRoot ?? ofPod.runAsNonRoot ?? false) await checkNonRoot(container, runAsUser, imageUser);
  const baseUser = runAsUser === undefined ? (runAsGroup === undefined ? undefined : (await imageUser()).split(':')[0] || '0') : String(runAsUser);
  const groups = [...(ofPod.supplementalGroups ?? []), ...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup])];
  return {
    user: baseUser === undefined ? undefined : runAsGroup === undefined ? baseUser : `${baseUser}:${runAsGroup}`,
    supplementalGroups: [...new Set(groups)],
    privileged,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    capabilitiesAdd: (own.capabilities?.add ?? []).map(capability),
    capabilitiesDrop: (own.capabilities?.drop ?? []).map(capability),
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    seccompUnconfined: seccompOf(own.seccompProfile ?? ofPod.seccompProfile, privileged),
  };
};

const checkNonRoot = async (container: Container, runAsUser: number | undefined, imageUser: () => Promise<string>): Promise<void> => {
  if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy (container ${container.name}: runAsNonRoot is true and runAsUser is 0)`);
  if (runAsUser !== undefined) return;
  const user = (await imageUser()).split(':')[0] ?? '';
  if (user === '' || user === '0' || user === 'root') throw new ConfigError(`container has runAsNonRoot and image will run as root (container ${container.name}: set runAsUser, or use an image with a numeric user)`);
  if (!/^\d+$/.test(user)) throw new ConfigError(`container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root (container ${container.name})`);
};

/** Fields of the pod that this node will not provide; the reason, or undefined. */
export const whyUnsupportedPod = (pod: Pod): string | undefined => {
  const { spec } = pod;
  if (spec?.hostUsers === false) return 'spec.hostUsers: false (user namespaces) is not supported by this node';
  if (spec?.runtimeClassName !== undefined && spec.runtimeClassName !== '') return `RuntimeClass "${spec.runtimeClassName}" not found`;
  if (spec?.os?.name === 'windows') return 'spec.os.name: windows is not supported by this node';
  if (spec?.setHostnameAsFQDN === true && fqdnOf(pod, '').length > 64) return 'spec.setHostnameAsFQDN: the name is longer than the 64 characters that Linux takes';
  return undefined;
};

/** The pod's host name and, where it has a subdomain, its full name. */
export const hostnameOf = (pod: Pod): string => (pod.spec?.hostname || pod.metadata.name || '').slice(0, 63).replace(/[-.]+$/, '');

export const fqdnOf = (pod: Pod, clusterDomain: string): string =>
  pod.spec?.subdomain === undefined || pod.spec.subdomain === '' ? '' : `${hostnameOf(pod)}.${pod.spec.subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`;
