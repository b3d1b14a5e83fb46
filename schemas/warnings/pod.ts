/**
 * What is taken and yet hardly what its writer means: a pod that runs otherwise than it reads. Clients print these lines
 * beside the answer; nothing is refused. Texts and places are those that kubectl's users know from Kubernetes.
 */
import { deepEqual } from '../frozen.ts';
import { parseQuantity } from '../quantity.ts';
import { whyNotDnsLabel } from '../names.ts';
import type { Affinity, PodAffinity, PodAffinityTerm } from '../types/affinity.ts';
import type { Container, ContainerPort } from '../types/container.ts';
import type { EnvVar } from '../types/env.ts';
import type { PodSpec, PodTemplateSpec } from '../types/pod-spec.ts';
import type { Volume } from '../types/volume.ts';
import { warnNodeLabel, warnNodeTerm, warnPodAnnotations } from './deprecated.ts';

/** Sorts of volumes that no node mounts any more, or that should not be used. */
const oldVolumes: readonly (readonly [keyof Volume, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'], ['gitRepo', 'deprecated in v1.11'], ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'], ['storageos', 'deprecated in v1.22, non-functional in v1.25+'], ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'], ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'], ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** Nothing to say: what nearly all parts of all pods get, so that no list is made for them. */
const nothing: readonly string[] = Object.freeze([]);

const inBytes = ['memory', 'ephemeral-storage', 'storage'] as const;

/** What nearly all amounts look like, which need not be read to see that they are whole. */
const plainBytes = /^\d+([KMGTPE]i?|k)?$/;

const isFraction = (amount: string | undefined): boolean =>
  amount !== undefined && !plainBytes.test(amount) && (parseQuantity(amount)?.nano ?? 0n) % 1_000_000_000n !== 0n;

/** Bytes are whole: an m after a number of them is seldom meant. */
export const warnFractions = (amounts: Readonly<Record<string, string>> | undefined, at: string): readonly string[] => {
  if (amounts === undefined) return nothing;
  return inBytes.filter((name) => isFraction(amounts[name])).map((name) => `${at}[${name}]: fractional byte value "${amounts[name]}" is invalid, must be an integer`);
};

const warnEnv = (env: readonly EnvVar[], at: string): readonly string[] => {
  if (env.length < 2) return nothing;
  const seen = new Set<string>();
  return env.flatMap(({ name, value = '', valueFrom }, index) => {
    // A variable that adds to its earlier self is no mistake.
    const earlier = `$(${name})`;
    const adds = valueFrom === undefined && value !== earlier && value.includes(earlier);
    const again = seen.has(name) && !adds;
    seen.add(name);
    return again ? [`${at}[${index}]: hides previous definition of "${name}", which may be dropped when using apply`] : [];
  });
};

const samePort = (a: ContainerPort, b: ContainerPort): boolean => a.containerPort === b.containerPort && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP')
  && (a.hostPort ?? 0) === (b.hostPort ?? 0) && (a.hostIP ?? '') === (b.hostIP ?? '');

const warnPorts = (ports: readonly ContainerPort[], at: string): readonly string[] => (ports.length < 2 ? nothing : ports.flatMap((port, index) => {
  const first = ports.findIndex((other) => samePort(other, port));
  return first < index ? [`${at}[${index}]: duplicate port definition with ${at}[${first}]`] : [];
}));

const hasFraction = (amounts: Readonly<Record<string, string>> | undefined): boolean => amounts !== undefined && inBytes.some((name) => isFraction(amounts[name]));

const warnContainer = ({ env = [], ports = [], resources }: Container, place: () => string): readonly string[] => {
  if (env.length < 2 && ports.length < 2 && !hasFraction(resources?.limits) && !hasFraction(resources?.requests)) return nothing;
  const at = place();
  return [
    ...warnEnv(env, `${at}.env`),
    ...warnPorts(ports, `${at}.ports`),
    ...warnFractions(resources?.limits, `${at}.resources.limits`),
    ...warnFractions(resources?.requests, `${at}.resources.requests`),
  ];
};

const noSelector = 'a null labelSelector results in matching no pod';

const warnPodTerms = (affinity: PodAffinity | undefined, at: string): readonly string[] => {
  const term = ({ labelSelector }: PodAffinityTerm, where: string): readonly string[] => (labelSelector === undefined ? [`${where}.labelSelector: ${noSelector}`] : []);
  const [hard, soft] = ['requiredDuringSchedulingIgnoredDuringExecution', 'preferredDuringSchedulingIgnoredDuringExecution'] as const;
  return [
    ...(affinity?.[hard] ?? []).flatMap((one, index) => term(one, `${at}.${hard}[${index}]`)),
    ...(affinity?.[soft] ?? []).flatMap((one, index) => term(one.podAffinityTerm, `${at}.${soft}[${index}].podAffinityTerm`)),
  ];
};

const warnAffinity = (affinity: Affinity | undefined, at: string): readonly string[] => {
  if (affinity === undefined) return nothing;
  const { nodeAffinity: node, podAffinity, podAntiAffinity } = affinity;
  return [
    ...(node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [])
      .flatMap((term, index) => warnNodeTerm(term, `${at}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`)),
    ...(node?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      .flatMap(({ preference }, index) => warnNodeTerm(preference, `${at}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`)),
    ...warnPodTerms(podAffinity, `${at}.podAffinity`),
    ...warnPodTerms(podAntiAffinity, `${at}.podAntiAffinity`),
  ];
};

const repeated = (values: readonly string[], place: (index: number) => string, what: string): readonly string[] =>
  (values.length < 2 ? nothing : values.flatMap((value, index) => (values.indexOf(value) < index ? [`${place(index)}: duplicate ${what} "${value}"`] : [])));

/** Frozen specs with nothing to warn of; pods of one template share theirs. */
const quiet = new WeakSet<PodSpec>();

/** Lines about a pod's spec; `at` is its path. */
const warnPodSpec = (spec: PodSpec, at: string): readonly string[] => {
  if (quiet.has(spec)) return nothing;
  const lines = linesOf(spec, at);
  if (lines.length === 0 && Object.isFrozen(spec)) quiet.add(spec);
  return lines;
};

const linesOf = (spec: PodSpec, at: string): readonly string[] => {
  const { containers, initContainers = [], volumes = [], hostAliases = [], imagePullSecrets = [], topologySpreadConstraints: spread = [], terminationGracePeriodSeconds: grace = 0 } = spec;
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((label) => warnNodeLabel(label, `${at}.nodeSelector[${label}]`)),
    ...warnAffinity(spec.affinity, `${at}.affinity`),
    ...spread.flatMap(({ topologyKey, labelSelector }, index) => [
      ...warnNodeLabel(topologyKey, `${at}.topologySpreadConstraints[${index}].topologyKey`),
      ...(labelSelector === undefined ? [`${at}.topologySpreadConstraints[${index}].labelSelector: ${noSelector}`] : []),
    ]),
    ...volumes.flatMap((volume, index) => [
      ...oldVolumes.flatMap(([name, text]) => (volume[name] === undefined ? [] : [`${at}.volumes[${index}].${name}: ${text}`])),
      ...warnFractions(volume.ephemeral?.volumeClaimTemplate?.spec.resources?.requests, `${at}.volumes[${index}].ephemeral.volumeClaimTemplate.spec.resources.requests`),
    ]),
    ...repeated(hostAliases.map(({ ip }) => ip), (index) => `${at}.hostAliases[${index}].ip`, 'ip'),
    ...imagePullSecrets.flatMap(({ name = '' }, index) => (name === '' ? [`${at}.imagePullSecrets[${index}].name: invalid empty name ""`] : [])),
    ...repeated(imagePullSecrets.map(({ name = '' }) => name), (index) => `${at}.imagePullSecrets[${index}].name`, 'name'),
    ...(grace < 0 ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`] : []),
    ...warnFractions(spec.overhead, `${at}.overhead`),
    ...initContainers.flatMap((one, index) => warnContainer(one, () => `${at}.initContainers[${index}]`)),
    ...containers.flatMap((one, index) => warnContainer(one, () => `${at}.containers[${index}]`)),
  ];
};

/** Lines about a template of pods; `at` is its path. */
export const warnPodTemplate = ({ metadata, spec }: PodTemplateSpec, at: string): readonly string[] => [...warnPodAnnotations(metadata?.annotations, spec, `${at}.`), ...warnPodSpec(spec, `${at}.spec`)];

/** Lines about a pod that is made, or whose spec changes. */
export const warnPod = ({ metadata, spec }: Pod, old: Pod | undefined): readonly string[] => [
  ...(old === undefined ? [...warnHostName(metadata.name, "the Pod's hostname"), ...warnPodAnnotations(metadata.annotations, spec)] : []),
  ...(spec === old?.spec ? [] : warnPodSpec(spec, 'spec')),
];

/** Pods and what makes them put their names into host names, which are labels. */
export const warnHostName = (name: string | undefined, use: 'Pod names and hostnames' | "the Pod's hostname"): readonly string[] => {
  const why = name === undefined || name === '' ? undefined : name.includes('.') ? 'must not contain dots' : whyNotDnsLabel(name);
  return why === undefined ? [] : [`metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${why}]`];
};

interface Pod {
  readonly metadata: { readonly name?: string | undefined; readonly annotations?: Readonly<Record<string, string>> | undefined };
  readonly spec: PodSpec;
}

interface Workload {
  readonly metadata: { readonly name?: string | undefined };
  readonly spec: { readonly template: PodTemplateSpec };
}

/** Lines about a workload that is made, or whose template changes. */
export const warnWorkload = ({ metadata, spec }: Workload, old: Workload | undefined): readonly string[] => [
  ...(old === undefined ? warnHostName(metadata.name, 'Pod names and hostnames') : []),
  ...(deepEqual(spec.template, old?.spec.template) ? [] : warnPodTemplate(spec.template, 'spec.template')),
];
