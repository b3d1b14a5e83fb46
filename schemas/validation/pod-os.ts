import { forbidden, type FieldError } from '../errors.ts';
import type { PodSpec } from '../types/pod-spec.ts';
import type { PodSecurityContext, SecurityContext } from '../types/security-context.ts';

/** What only Linux has; a pod that says it is for Windows may not ask for it. */
const ofLinuxPods = ['hostPID', 'hostIPC', 'hostUsers', 'shareProcessNamespace'] as const satisfies readonly (keyof PodSpec)[];
const ofLinuxPodContexts = [
  'appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls', 'runAsUser', 'runAsGroup', 'supplementalGroups',
  'supplementalGroupsPolicy', 'seLinuxChangePolicy',
] as const satisfies readonly (keyof PodSecurityContext)[];
const ofLinuxContexts = [
  'appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged', 'allowPrivilegeEscalation', 'procMount',
  'runAsUser', 'runAsGroup',
] as const satisfies readonly (keyof SecurityContext)[];

const ofWindows = ['windowsOptions'] as const;

const said = (of: object | undefined, names: readonly string[], field: string, os: string): readonly FieldError[] =>
  names.filter((name) => {
    const value = (of as Record<string, unknown> | undefined)?.[name];
    return value !== undefined && value !== false;
  }).map((name) => forbidden(`${field}.${name}`, `cannot be set for a ${os} pod`));

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** A pod that says for which operating system it is may use nothing that this one does not have; `field` is the path of its spec. */
export const validateOs = (spec: PodSpec, field: string): readonly FieldError[] => {
  const os = spec.os?.name;
  if (os !== 'windows' && os !== 'linux') return [];
  const windows = os === 'windows';
  return [
    ...(windows ? said(spec, ofLinuxPods, field, os) : []),
    ...said(spec.securityContext, windows ? ofLinuxPodContexts : ofWindows, `${field}.securityContext`, os),
    ...containerLists.flatMap((list) => (spec[list] ?? []).flatMap((container, index) =>
      said(container.securityContext, windows ? ofLinuxContexts : ofWindows, `${field}.${list}[${index}].securityContext`, os))),
  ];
};
