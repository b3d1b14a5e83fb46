/** Rules for pods beyond those of their spec: what may be set at creation, and what may change later. */
import { validateDeviceAnnotations, validateDevicesUpdate } from '../devices.ts';
import { forbidden, refused, wrong, type FieldError } from '../errors.ts';
import { deepEqual, draftOf, type Draft } from '../frozen.ts';
import type { ApiObject } from '../kind.ts';
import { whyNotIp, whyNotQualifiedName } from '../names.ts';
import { validateMirrorUpdate, validateNewMirror } from '../static-pods.ts';
import { validateSwarmAnnotations } from '../swarm/placement.ts';
import type { Affinity, NodeSelector } from '../types/affinity.ts';
import type { PodSpec } from '../types/pod-spec.ts';
import type { ContainerStatus, PodStatus } from '../types/pod-status.ts';
import { validatePodSpec } from './pod-spec.ts';

const annotationsField = 'metadata.annotations';

interface PodLike extends ApiObject {
  readonly spec: PodSpec;
  readonly status?: PodStatus | undefined;
}

export const validateNewPod = (pod: PodLike): readonly FieldError[] => [
  ...validateSwarmAnnotations(pod.metadata.annotations, annotationsField),
  ...validateDeviceAnnotations(pod.metadata.annotations, pod.spec, annotationsField),
  ...validateNewMirror(pod),
  ...validatePodSpec(pod.spec, 'spec'),
  ...((pod.spec.ephemeralContainers ?? []).length > 0 ? [forbidden('spec.ephemeralContainers', 'cannot be set on create')] : []),
  ...((pod.spec.schedulingGates ?? []).length > 0 && (pod.spec.nodeName ?? '') !== '' ? [forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared')] : []),
];

const isGated = (spec: PodSpec): boolean => (spec.schedulingGates ?? []).length > 0;

const startsWith = (list: readonly unknown[] = [], start: readonly unknown[] = []): boolean => deepEqual(list.slice(0, start.length), start);

/** The nodes that a pod insists on may only become fewer: each of its terms may get further conditions. */
const validateNodeTerms = ({ nodeSelectorTerms: terms = [] }: Partial<NodeSelector> = {}, { nodeSelectorTerms: before }: NodeSelector): readonly FieldError[] => {
  const field = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  if (terms.length !== before.length) return [wrong(field, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')];
  return terms.flatMap((term, index) => {
    const old = before[index];
    const isEmpty = (old?.matchExpressions ?? []).length + (old?.matchFields ?? []).length === 0;
    const narrower = isEmpty ? deepEqual(term, old) : startsWith(term.matchExpressions, old?.matchExpressions) && startsWith(term.matchFields, old?.matchFields);
    return narrower ? [] : [wrong(`${field}[${index}]`, term, 'only additions are allowed (no mutations or deletions)')];
  });
};

/** What may change in a pod that waits behind scheduling gates: where it may go becomes narrower, never wider. */
const validateGatedChange = (spec: PodSpec, old: PodSpec): readonly FieldError[] => {
  const selector = spec.nodeSelector ?? {};
  const narrower = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => selector[key] === value);
  const before = old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return [
    ...(narrower ? [] : [wrong('spec.nodeSelector', spec.nodeSelector ?? {}, 'only additions are allowed (no mutations or deletions)')]),
    ...(before === undefined ? [] : validateNodeTerms(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, before)),
  ];
};

/** The affinity as the old one has it for nodes, which the rule for gated pods looks at, so that only the rest is compared. */
const withNodeAffinity = (affinity: Affinity | undefined, old: Affinity | undefined): Draft<Affinity> | undefined => {
  const { nodeAffinity: _nodeAffinity, ...others } = affinity ?? {};
  const nodeAffinity = old?.nodeAffinity;
  if (Object.keys(others).length === 0 && nodeAffinity === undefined) return old === undefined ? undefined : draftOf(old);
  return draftOf({ ...others, ...(nodeAffinity === undefined ? {} : { nodeAffinity }) });
};

/** Both specs with all that may change made equal: what still differs may not change. */
const withoutMutable = (spec: PodSpec, old: PodSpec): Draft<PodSpec> => {
  const draft = draftOf(spec);
  const same = <T extends { name: string; image?: string | undefined }>(list: T[] | undefined, from: readonly { readonly name: string; readonly image?: string | undefined }[] | undefined): void => {
    for (const [index, one] of (list ?? []).entries()) {
      const image = from?.[index]?.image;
      if (image !== undefined) one.image = image;
    }
  };
  same(draft.containers, old.containers);
  same(draft.initContainers, old.initContainers);
  draft.activeDeadlineSeconds = old.activeDeadlineSeconds;
  // Who said less than nothing may say what that means.
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && draft.terminationGracePeriodSeconds === 1) draft.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  draft.tolerations = old.tolerations === undefined ? undefined : draftOf(old.tolerations);
  draft.schedulingGates = old.schedulingGates === undefined ? undefined : draftOf(old.schedulingGates);
  if (isGated(old)) {
    draft.nodeSelector = old.nodeSelector === undefined ? undefined : draftOf(old.nodeSelector);
    draft.affinity = withNodeAffinity(spec.affinity, old.affinity);
  }
  return draft;
};

/** Paths at which two JSON values differ, at most a few of them. */
const differences = (a: unknown, b: unknown, path: string): readonly string[] => {
  if (deepEqual(a, b)) return [];
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return [path];
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length ? a.flatMap((one: unknown, index) => differences(one, b[index], `${path}[${index}]`)) : [path];
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) => differences(left[key], right[key], `${path}.${key}`));
};

const shownDifferences = 5;

const validateDeadline = (now: number | undefined, before: number | undefined): readonly FieldError[] => {
  const field = 'spec.activeDeadlineSeconds';
  if (now === undefined) return before === undefined ? [] : [wrong(field, null, 'must not update from a positive integer to nil value')];
  return before !== undefined && now > before ? [wrong(field, now, 'must be less than or equal to previous value')] : [];
};

/** An update of a pod: images, a shorter deadline, further tolerations, fewer gates, and nothing else. */
export const validatePodUpdate = (pod: PodLike, old: PodLike): readonly FieldError[] => {
  const { spec } = pod;
  const { annotations } = pod.metadata;
  const annotated = [
    // Annotations that stay may be older than the rule.
    ...(annotations === undefined || deepEqual(annotations, old.metadata.annotations) ? [] : validateSwarmAnnotations(annotations, annotationsField)),
    ...validateDevicesUpdate(annotations, old.metadata.annotations, annotationsField),
    ...validateMirrorUpdate(pod, old),
  ];
  if (spec === old.spec) return [...annotated, ...validatePodSpec(spec, 'spec')];
  const errors: FieldError[] = [...annotated, ...validatePodSpec(spec, 'spec'), ...validateDeadline(spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds)];
  const added = (spec.tolerations ?? []);
  if ((old.spec.tolerations ?? []).some((one) => !added.some((other) => deepEqual({ ...other, tolerationSeconds: 0 }, { ...one, tolerationSeconds: 0 })))) {
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  const gates = new Set((old.spec.schedulingGates ?? []).map((gate) => gate.name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (!gates.has(name)) errors.push(forbidden(`spec.schedulingGates[${index}]`, 'only deletion is allowed, but found new scheduling gate \'' + name + '\''));
  }
  if (isGated(old.spec)) errors.push(...validateGatedChange(spec, old.spec));
  for (const list of ['initContainers', 'containers'] as const) {
    if ((spec[list]?.length ?? 0) !== (old.spec[list]?.length ?? 0)) return [...errors, forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
  }
  const changed = differences(withoutMutable(spec, old.spec), old.spec, 'spec');
  if (changed.length > 0) {
    const more = changed.length > shownDifferences ? ` and ${changed.length - shownDifferences} more` : '';
    errors.push(forbidden('spec', 'pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, '
      + `\`spec.tolerations\` (only additions to existing tolerations) and \`spec.schedulingGates\` (only deletions); changed: ${changed.slice(0, shownDifferences).join(', ')}${more}`));
  }
  return errors;
};

/** An update through the ephemeralcontainers subresource: containers are added, those that are there stay as they are. */
export const validateEphemeralContainersUpdate = (pod: PodLike, old: PodLike): readonly FieldError[] => {
  const errors: FieldError[] = [...validatePodSpec(pod.spec, 'spec')];
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((one) => [one.name, one]));
  for (const container of old.spec.ephemeralContainers ?? []) {
    const same = now.get(container.name);
    if (same === undefined) errors.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers "${container.name}" may not be removed`));
    else if (!deepEqual(same, container)) errors.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers "${container.name}" may not be changed`));
  }
  if (!deepEqual({ ...pod.spec, ephemeralContainers: undefined }, { ...old.spec, ephemeralContainers: undefined })) {
    errors.push(forbidden('spec', 'only `spec.ephemeralContainers` may be changed through this subresource'));
  }
  return errors;
};

/** A container that ended for good does not come back. */
const validateRestarts = (now: readonly ContainerStatus[] | undefined, before: readonly ContainerStatus[] | undefined, field: string, policy: string | undefined): readonly FieldError[] => {
  if (policy === undefined || policy === 'Always') return [];
  return (before ?? []).flatMap((old) => {
    const ended = old.state?.terminated;
    if (ended === undefined || (policy === 'OnFailure' && ended.exitCode !== 0)) return [];
    const index = (now ?? []).findIndex((one) => one.name === old.name);
    const state = now?.[index]?.state;
    return index >= 0 && state?.terminated === undefined ? [forbidden(`${field}[${index}].state`, 'may not be transitioned to non-terminated state')] : [];
  });
};

export const validatePodStatus = (pod: PodLike, old: PodLike): readonly FieldError[] => {
  const { podIP, podIPs = [], hostIP, conditions = [] } = pod.status ?? {};
  return [
    ...validateDevicesUpdate(pod.metadata.annotations, old.metadata.annotations, annotationsField),
    ...validateMirrorUpdate(pod, old),
    ...podIPs.flatMap(({ ip }, index) => refused(`status.podIPs[${index}].ip`, ip, whyNotIp(ip))),
    ...(podIP === undefined || podIP === '' ? [] : refused('status.podIP', podIP, whyNotIp(podIP))),
    ...(podIP !== undefined && podIPs.length > 0 && podIPs[0]?.ip !== podIP ? [wrong('status.podIPs', podIPs, 'the first entry must equal status.podIP')] : []),
    ...(hostIP === undefined || hostIP === '' ? [] : refused('status.hostIP', hostIP, whyNotIp(hostIP))),
    ...conditions.flatMap(({ type }, index) => refused(`status.conditions[${index}].type`, type, whyNotQualifiedName(type))),
    ...validateRestarts(pod.status?.containerStatuses, old.status?.containerStatuses, 'status.containerStatuses', old.spec.restartPolicy),
  ];
};
