/** Names that Kubernetes has given up or is about to, in the words that kubectl's users know. */
import type { PodSpec } from '../types/pod-spec.ts';

/** Labels of nodes that have got other names, and since when. */
const oldNodeLabels: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
]);

/** A line about a label of nodes that has got another name; `at` is where it is used. */
export const warnNodeLabel = (label: string, at: string): readonly string[] => {
  const text = oldNodeLabels.get(label);
  return text === undefined ? [] : [`${at}: ${text}`];
};

interface Expressions {
  readonly matchExpressions?: readonly { readonly key: string }[] | undefined;
}

/** Lines about the labels of nodes in a selector's expressions; `at` is its path. */
export const warnNodeTerm = ({ matchExpressions = [] }: Expressions, at: string): readonly string[] =>
  matchExpressions.flatMap(({ key }, index) => warnNodeLabel(key, `${at}.matchExpressions[${index}].key`));

type Annotations = Readonly<Record<string, string>> | undefined;

const annotationPath = (key: string): string => `metadata.annotations[${key}]`;

const storageClass = 'volume.beta.kubernetes.io/storage-class';

/** Lines about the annotations of a claim or of a volume. */
export const warnVolumeAnnotations = (annotations: Annotations): readonly string[] =>
  (annotations?.[storageClass] === undefined ? [] : [`${annotationPath(storageClass)}: deprecated since v1.8; use "storageClassName" attribute instead`]);

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets';

/** Lines about the annotations of a service account. */
export const warnAccountAnnotations = (annotations: Annotations): readonly string[] =>
  (annotations?.[mountableSecrets] === undefined ? [] : [`${annotationPath(mountableSecrets)}: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`]);

const topologyHints = 'service.kubernetes.io/topology-aware-hints';

/** Lines about the annotations of a service. */
export const warnServiceAnnotations = (annotations: Annotations): readonly string[] =>
  (annotations?.[topologyHints] === undefined ? [] : [`annotation ${topologyHints} is deprecated, please use service.kubernetes.io/topology-mode instead`]);

const podAnnotations: readonly (readonly [key: string, text: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
];

/** Lines about the annotations of a pod that fields have taken the place of; `at` is the path of the pod's or template's parts, such as `spec.template.`. */
export const warnPodAnnotations = (annotations: Annotations, { securityContext, initContainers = [], containers }: PodSpec, at = ''): readonly string[] => {
  if (annotations === undefined) return [];
  const line = (key: string, text: string): readonly string[] => (annotations[key] === undefined ? [] : [`${at}${annotationPath(key)}: ${text}`]);
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  return [
    ...podAnnotations.flatMap(([key, text]) => line(key, text)),
    ...(securityContext?.seccompProfile === undefined ? line('seccomp.security.alpha.kubernetes.io/pod', seccomp) : []),
    ...[...initContainers, ...containers].flatMap(({ name, securityContext: own }) => [
      ...(own?.seccompProfile === undefined ? line(`container.seccomp.security.alpha.kubernetes.io/${name}`, seccomp) : []),
      ...(own?.appArmorProfile === undefined && securityContext?.appArmorProfile === undefined
        ? line(`container.apparmor.security.beta.kubernetes.io/${name}`, 'deprecated since v1.30; use the "appArmorProfile" field instead') : []),
    ]),
  ];
};
