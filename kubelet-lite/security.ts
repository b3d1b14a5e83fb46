/** What securityContext means for the engine. What no engine can do is refused before (`admission/unsupported.ts`). */
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import type { AppArmorProfile, SeccompProfile } from '../schemas/types/security-context.ts';
import { ConfigError } from './config-error.ts';
import type { ContainerSpec } from './runtime/runtime.ts';

export type Security = Pick<ContainerSpec,
  'user' | 'supplementalGroups' | 'privileged' | 'readOnlyRootFilesystem' | 'capabilitiesAdd' | 'capabilitiesDrop' | 'noNewPrivileges' | 'seccomp' | 'appArmor'>;

/** What the node knows and the pod's spec names. */
export interface SecuritySources {
  /** The user of the image's own configuration. */
  imageUser(): Promise<string>;
  /** A profile of the node's folder of them, by its path in there. Rejects with ConfigError. */
  seccompProfile(path: string): Promise<string>;
}

/** `CAP_net_admin`, `net_admin` and `NET_ADMIN` are the same. */
const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');

const seccompOf = async (profile: SeccompProfile | undefined, privileged: boolean, sources: SecuritySources): Promise<Pick<Security, 'seccomp'>> => {
  const type = profile?.type ?? (privileged ? 'Unconfined' : 'RuntimeDefault');
  if (type === 'RuntimeDefault') return {};
  return { seccomp: type === 'Unconfined' ? 'unconfined' : await sources.seccompProfile(profile?.localhostProfile ?? '') };
};

const appArmorOf = (profile: AppArmorProfile | undefined): Pick<Security, 'appArmor'> => {
  if (profile === undefined || profile.type === 'RuntimeDefault') return {};
  return { appArmor: profile.type === 'Unconfined' ? 'unconfined' : (profile.localhostProfile ?? '') };
};

/** The sources are asked only when the answer matters. Throws ConfigError when the context cannot be held. */
export const security = async (pod: Pod, container: Container, sources: SecuritySources): Promise<Security> => {
  const imageUser = (): Promise<string> => sources.imageUser();
  const ofPod = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
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
    ...await seccompOf(own.seccompProfile ?? ofPod.seccompProfile, privileged, sources),
    ...appArmorOf(own.appArmorProfile ?? ofPod.appArmorProfile),
  };
};

const checkNonRoot = async (container: Container, runAsUser: number | undefined, imageUser: () => Promise<string>): Promise<void> => {
  if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy (container ${container.name}: runAsNonRoot is true and runAsUser is 0)`);
  if (runAsUser !== undefined) return;
  const user = (await imageUser()).split(':')[0] ?? '';
  if (user === '' || user === '0' || user === 'root') throw new ConfigError(`container has runAsNonRoot and image will run as root (container ${container.name}: set runAsUser, or use an image with a numeric user)`);
  if (!/^\d+$/.test(user)) throw new ConfigError(`container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root (container ${container.name})`);
};

/** The name by which the cluster's DNS knows the pod and, where it has a subdomain, its full name. */
export const hostnameOf = (pod: Pod): string => (pod.spec?.hostname || pod.metadata.name || '').slice(0, 63).replace(/[-.]+$/, '');

export const fqdnOf = (pod: Pod, clusterDomain: string): string =>
  pod.spec?.subdomain === undefined || pod.spec.subdomain === '' ? '' : `${hostnameOf(pod)}.${pod.spec.subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`;
