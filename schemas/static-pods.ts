/**
 * Static pods are pods that a node's agent has from a folder of the node, and runs with or without a server. The server
 * knows them by pictures (mirror pods), which the agent makes and keeps up to date, and which can do nothing to the pod.
 */
import { forbidden, required, type FieldError } from './errors.ts';
import type { ApiObject } from './kind.ts';
import type { Container } from './types/container.ts';
import type { PodSpec } from './types/pod-spec.ts';

/** Where an agent has a pod from: `file`, or `api` where absent. */
export const configSource = 'kubernetes.io/config.source';
/** What a static pod's file said, as a hash. */
export const configHash = 'kubernetes.io/config.hash';
/** Marks the picture of a static pod; the value is the pod's hash. */
export const configMirror = 'kubernetes.io/config.mirror';

/** True for a picture of a pod, as its annotation says: whether the agent of its node knows such a pod, only that can tell. */
export const isMirror = ({ metadata }: ApiObject): boolean => metadata.annotations?.[configMirror] !== undefined;

const mirrorField = `metadata.annotations[${configMirror}]`;

/** What a mirror pod must have when it is made. */
export const validateNewMirror = (pod: ApiObject & { readonly spec: PodSpec }): readonly FieldError[] =>
  (isMirror(pod) && (pod.spec.nodeName ?? '') === '' ? [required('spec.nodeName', `must be set for a pod with the annotation ${configMirror}`)] : []);

/** Whether a pod is a picture, and of what, is said once. */
export const validateMirrorUpdate = ({ metadata: { annotations: now } }: ApiObject, { metadata: { annotations: before } }: ApiObject): readonly FieldError[] => {
  if (now?.[configMirror] === before?.[configMirror]) return [];
  return [forbidden(mirrorField, before?.[configMirror] === undefined ? 'may not add mirror pod annotation' : 'may not remove or update mirror pod annotation')];
};

/** A field of a pod by which it needs an object of the API. */
export interface ApiReference {
  readonly field: string;
  /** In the plural, as in "may not reference secrets". */
  readonly what: 'secrets' | 'config maps' | 'service accounts' | 'claims of volumes' | 'cluster trust bundles' | 'resource claims';
}

const ofContainer = ({ env = [], envFrom = [] }: Pick<Container, 'env' | 'envFrom'>, field: string): readonly ApiReference[] => [
  ...env.flatMap(({ valueFrom }, index): readonly ApiReference[] => [
    ...(valueFrom?.secretKeyRef === undefined ? [] : [{ field: `${field}.env[${index}].valueFrom.secretKeyRef`, what: 'secrets' as const }]),
    ...(valueFrom?.configMapKeyRef === undefined ? [] : [{ field: `${field}.env[${index}].valueFrom.configMapKeyRef`, what: 'config maps' as const }]),
  ]),
  ...envFrom.flatMap(({ secretRef, configMapRef }, index): readonly ApiReference[] => [
    ...(secretRef === undefined ? [] : [{ field: `${field}.envFrom[${index}].secretRef`, what: 'secrets' as const }]),
    ...(configMapRef === undefined ? [] : [{ field: `${field}.envFrom[${index}].configMapRef`, what: 'config maps' as const }]),
  ]),
];

const referring: Readonly<Record<string, ApiReference['what']>> = {
  secret: 'secrets', configMap: 'config maps', persistentVolumeClaim: 'claims of volumes', ephemeral: 'claims of volumes', serviceAccountToken: 'service accounts', clusterTrustBundle: 'cluster trust bundles',
  // Of volumes of remote kinds, wherever they have theirs.
  secretRef: 'secrets', secretName: 'secrets', nodePublishSecretRef: 'secrets',
};

const ofSource = (source: object, field: string): readonly ApiReference[] => Object.entries(source).flatMap(([key, value]: readonly [string, unknown]): readonly ApiReference[] => {
  if (value === undefined || value === null) return [];
  const what = Object.hasOwn(referring, key) ? referring[key] : undefined;
  if (what !== undefined) return [{ field: `${field}.${key}`, what }];
  if (Array.isArray(value)) return value.flatMap((one: unknown, index) => (typeof one === 'object' && one !== null ? ofSource(one, `${field}.${key}[${index}]`) : []));
  return typeof value === 'object' ? ofSource(value, `${field}.${key}`) : [];
});

/** All by which a pod needs objects of the API: pods that run without a server, and pictures of them, can have none of it. */
export const apiReferences = (spec: PodSpec): readonly ApiReference[] => [
  ...(['serviceAccountName', 'serviceAccount'] as const).flatMap((field) => ((spec[field] ?? '') === '' ? [] : [{ field: `spec.${field}`, what: 'service accounts' as const }])),
  ...(spec.imagePullSecrets ?? []).map((_, index) => ({ field: `spec.imagePullSecrets[${index}]`, what: 'secrets' as const })),
  ...(spec.resourceClaims ?? []).map((_, index) => ({ field: `spec.resourceClaims[${index}]`, what: 'resource claims' as const })),
  ...(['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) => (spec[list] ?? []).flatMap((container, index) => ofContainer(container, `spec.${list}[${index}]`))),
  ...(spec.volumes ?? []).flatMap((volume, index) => ofSource(volume, `spec.volumes[${index}]`)),
];
