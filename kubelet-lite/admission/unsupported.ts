/**
 * What a pod asks for that this node will never do. A pod that asks for any of it is refused before anything of it runs,
 * with all reasons at once. Pure; docs/design/pod-fields.md has every field, and test/kubelet-lite/pod-fields.test.ts holds
 * both together.
 */
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Container } from '../../schemas/types/container.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import type { AppArmorProfile } from '../../schemas/types/security-context.ts';
import type { Volume } from '../../schemas/types/volume.ts';
import { allContainers, isEphemeral } from '../pod-view.ts';
import { fqdnOf } from '../security.ts';

/** What engines differ in. */
export interface EngineAbilities {
  /** AppArmor is on where the engine runs. */
  readonly appArmor: boolean;
}

export interface NodeAbilities extends EngineAbilities { readonly clusterDomain: string }

/** Longest host name that Linux takes. */
const longestHostname = 64;

/** Parameters that the kernel keeps for each IPC or network namespace: a pod's own. The engine takes no others. */
const ownSysctl = /^(net\..+|fs\.mqueue\..+|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/;

/** Sources of volumes that the agent makes. */
const volumeSources: ReadonlySet<string> = new Set<keyof Volume>(['configMap', 'downwardAPI', 'emptyDir', 'ephemeral', 'hostPath', 'persistentVolumeClaim', 'projected', 'secret']);
const projections: ReadonlySet<string> = new Set(['configMap', 'downwardAPI', 'secret', 'serviceAccountToken']);

const present = (object: object | undefined): readonly string[] => Object.entries(object ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [name]));

const appArmorProblem = (profile: AppArmorProfile | undefined, { appArmor }: EngineAbilities): readonly string[] =>
  (profile === undefined || profile.type === 'Unconfined' || appArmor ? [] : [`appArmorProfile of type ${profile.type}: AppArmor is not enabled where the engine runs, so it`]);

const ofVolume = (volume: Volume): readonly string[] => {
  const { name, emptyDir, projected } = volume;
  const medium = emptyDir?.medium ?? '';
  return [
    ...present(volume).filter((source) => source !== 'name' && !volumeSources.has(source)).map((source) => `volume "${name}" of kind ${source}`),
    ...(medium === '' || medium === 'Memory' ? [] : [`volume "${name}": an emptyDir with medium ${medium}`]),
    ...(projected?.sources ?? []).flatMap(present).filter((source) => !projections.has(source)).map((source) => `volume "${name}": a projected source of kind ${source}`),
  ];
};

const ofPod = (pod: Pod, abilities: NodeAbilities): readonly string[] => {
  const spec: PodSpec = pod.spec;
  const { securityContext: context = {} } = spec;
  return [
    ...(spec.hostUsers === false ? ['spec.hostUsers: false (a user namespace of its own)'] : []),
    ...(spec.os?.name === 'windows' ? ['spec.os.name: windows'] : []),
    ...(present(spec.resources).length > 0 ? ['spec.resources (of the pod as a whole, beside those of its containers)'] : []),
    ...((spec.resourceClaims ?? []).length > 0 ? ['spec.resourceClaims'] : []),
    ...(spec.schedulingGroup === undefined ? [] : ['spec.schedulingGroup']),
    ...(context.seLinuxOptions === undefined ? [] : ['spec.securityContext.seLinuxOptions']),
    ...(context.windowsOptions === undefined ? [] : ['spec.securityContext.windowsOptions']),
    ...(context.supplementalGroupsPolicy === 'Strict' ? ["spec.securityContext.supplementalGroupsPolicy: Strict (the engine always adds the groups of the image's own files)"] : []),
    ...appArmorProblem(context.appArmorProfile, abilities).map((what) => `spec.securityContext.${what}`),
    ...(context.sysctls ?? []).filter(({ name }) => !ownSysctl.test(name.replaceAll('/', '.'))).map(({ name }) => `spec.securityContext.sysctls: ${name} is no parameter of a pod's own and`),
    ...(spec.volumes ?? []).flatMap(ofVolume),
  ];
};

/** What is refused of one container; ephemeral ones come to a pod that runs, and are refused by themselves. */
export const unsupportedInContainer = (container: Container, abilities: EngineAbilities): readonly string[] => {
  const { securityContext: context = {} } = container;
  return [
    ...((container.volumeDevices ?? []).length > 0 ? ['volumeDevices'] : []),
    ...(container.volumeMounts ?? []).filter(({ recursiveReadOnly }) => recursiveReadOnly === 'Enabled').map(({ mountPath }) => `recursiveReadOnly: Enabled (of ${mountPath})`),
    ...((container.restartPolicyRules ?? []).length > 0 ? ['restartPolicyRules'] : []),
    ...((container.resources?.claims ?? []).length > 0 ? ['resources.claims'] : []),
    ...(container.env ?? []).filter(({ valueFrom }) => valueFrom?.fileKeyRef !== undefined).map(({ name }) => `env ${name}: valueFrom.fileKeyRef`),
    ...(context.seLinuxOptions === undefined ? [] : ['securityContext.seLinuxOptions']),
    ...(context.windowsOptions === undefined ? [] : ['securityContext.windowsOptions']),
    ...(context.procMount === undefined || context.procMount === 'Default' ? [] : [`securityContext.procMount: ${context.procMount}`]),
    ...appArmorProblem(context.appArmorProfile, abilities).map((what) => `securityContext.${what}`),
  ].map((what) => `container ${container.name}: ${what}`);
};

const isRefused = (what: string): string => `${what} is not supported by this node`;

/** Why this node will never run the pod; undefined where it may. */
export const whyUnsupported = (pod: Pod, abilities: NodeAbilities): string | undefined => {
  const { runtimeClassName = '', setHostnameAsFQDN = false } = pod.spec;
  const why = [
    ...(runtimeClassName === '' ? [] : [`RuntimeClass "${runtimeClassName}" not found`]),
    ...(setHostnameAsFQDN && fqdnOf(pod, abilities.clusterDomain).length > longestHostname
      ? [`spec.setHostnameAsFQDN: ${fqdnOf(pod, abilities.clusterDomain)} is longer than the ${longestHostname} characters that Linux takes`] : []),
    ...[...ofPod(pod, abilities), ...allContainers(pod).filter(({ name }) => !isEphemeral(pod, name)).flatMap((container) => unsupportedInContainer(container, abilities))].map(isRefused),
  ];
  return why.length === 0 ? undefined : why.join('; ');
};
