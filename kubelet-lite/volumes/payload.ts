/** The files of volumes that are made from API objects, worked out without touching a disk. */
import { deepEqual } from '../../schemas/frozen.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import type { KeyToPath } from '../../schemas/types/references.ts';
import type { DownwardAPIVolumeFile, ServiceAccountTokenProjection, Volume, VolumeProjection } from '../../schemas/types/volume.ts';
import { podClaims } from '../../schemas/volumes/pod-claims.ts';
import { ConfigError, unsupported } from '../config-error.ts';
import { fieldValue, resourceValue, type PodFacts } from '../downward.ts';
import type { Sources } from '../env.ts';
import { allContainers, appContainers, initContainers } from '../pod-view.ts';

export interface FileContent {
  readonly data: Buffer;
  readonly mode: number;
  /** The user whose file it is; the agent's own where absent. */
  readonly owner?: number | undefined;
}
/** By path inside the volume. */
export type Payload = ReadonlyMap<string, FileContent>;

export interface PayloadInput {
  readonly pod: Pod;
  readonly sources: Sources;
  readonly facts: PodFacts;
  /** Whether the agent may make files of other users. */
  readonly givesFiles: boolean;
  readonly token: (projection: ServiceAccountTokenProjection) => Promise<string>;
}

const defaultMode = 0o644;

const checked = (path: string): string => {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..') || parts.includes('') || parts[0]?.startsWith('..') === true) {
    throw new ConfigError(`path ${JSON.stringify(path)} of a volume's file must be relative, without empty parts and without ".."`);
  }
  return path;
};

const keyed = (all: ReadonlyMap<string, Buffer>, items: readonly KeyToPath[] | undefined, mode: number, what: { readonly kind: string; readonly name: string; readonly optional: boolean }): Payload => {
  if (items === undefined || items.length === 0) return new Map([...all].map(([key, data]) => [checked(key), { data, mode }]));
  const out = new Map<string, FileContent>();
  for (const item of items) {
    const data = all.get(item.key);
    if (data !== undefined) out.set(checked(item.path), { data, mode: item.mode ?? mode });
    else if (!what.optional) throw new ConfigError(`references non-existent ${what.kind} key: ${item.key} of "${what.name}"`);
  }
  return out;
};

interface Reference { readonly name?: string | undefined; readonly optional?: boolean | undefined; readonly items?: readonly KeyToPath[] | undefined }

const missing = (kind: string, name: string, optional: boolean): Payload => {
  if (!optional) throw new ConfigError(`${kind} "${name}" not found`);
  return new Map();
};

const ofConfigMap = ({ name = '', optional = false, items }: Reference, mode: number, sources: Sources): Payload => {
  const found: ConfigMap | undefined = sources.configMap(name);
  if (found === undefined) return missing('configmap', name, optional);
  const all = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(found.data ?? {})) all.set(key, Buffer.from(value, 'utf8'));
  for (const [key, value] of Object.entries(found.binaryData ?? {})) all.set(key, Buffer.from(value, 'base64'));
  return keyed(all, items, mode, { kind: 'config', name, optional });
};

const ofSecret = ({ name = '', optional = false, items }: Reference, mode: number, sources: Sources): Payload => {
  const found: Secret | undefined = sources.secret(name);
  if (found === undefined) return missing('secret', name, optional);
  const all = new Map(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return keyed(all, items, mode, { kind: 'secret', name, optional });
};

const ofDownward = (items: readonly DownwardAPIVolumeFile[] = [], mode: number, { pod, facts }: PayloadInput): Payload => new Map(items.map((item) => {
  const value = item.fieldRef !== undefined ? fieldValue(pod, item.fieldRef.fieldPath, facts)
    : item.resourceFieldRef !== undefined ? resourceValue(pod, undefined, item.resourceFieldRef, facts) : undefined;
  return [checked(item.path), { data: Buffer.from(value ?? '', 'utf8'), mode: item.mode ?? mode }];
}));

/** The user that every container runs as, where they all name one and the same. Ephemeral containers do not count. */
const commonUser = (pod: Pod): number | undefined => {
  const users = [...initContainers(pod), ...appContainers(pod)].map(({ securityContext }) => securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser);
  return users.every((user) => user === users[0]) ? users[0] : undefined;
};

/**
 * A token is for the pod's one user, or for its group, and then for nobody else, whatever mode the volume names. Where the
 * pod has neither, its mode is the volume's, as with all other files.
 */
const tokenAccess = ({ pod, givesFiles }: PayloadInput, mode: number): Pick<FileContent, 'mode' | 'owner'> => {
  const owner = givesFiles ? commonUser(pod) : undefined;
  return { mode: owner !== undefined || pod.spec?.securityContext?.fsGroup !== undefined ? 0o600 : mode, owner };
};

const ofProjection = async (projection: VolumeProjection, mode: number, input: PayloadInput): Promise<Payload> => {
  if (projection.configMap !== undefined) return ofConfigMap(projection.configMap, mode, input.sources);
  if (projection.secret !== undefined) return ofSecret(projection.secret, mode, input.sources);
  if (projection.downwardAPI !== undefined) return ofDownward(projection.downwardAPI.items, mode, input);
  if (projection.serviceAccountToken !== undefined) {
    const { path } = projection.serviceAccountToken;
    return new Map([[checked(path), { data: Buffer.from(await input.token(projection.serviceAccountToken)), ...tokenAccess(input, mode) }]]);
  }
  throw unsupported(`a projected volume of ${Object.keys(projection).join(', ')}`);
};

/** True for the volumes that `payloadOf` makes. */
export const hasPayload = (volume: Volume): boolean =>
  volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined || volume.projected !== undefined;

/** The files of a volume. Throws ConfigError when a source that is not optional is missing. */
export const payloadOf = async (volume: Volume, input: PayloadInput): Promise<Payload> => {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return ofConfigMap(configMap, configMap.defaultMode ?? defaultMode, input.sources);
  if (secret !== undefined) return ofSecret({ name: secret.secretName, optional: secret.optional, items: secret.items }, secret.defaultMode ?? defaultMode, input.sources);
  if (downwardAPI !== undefined) return ofDownward(downwardAPI.items, downwardAPI.defaultMode ?? defaultMode, input);
  const out = new Map<string, FileContent>();
  for (const projection of projected?.sources ?? []) {
    for (const [path, file] of await ofProjection(projection, projected?.defaultMode ?? defaultMode, input)) out.set(path, file);
  }
  return out;
};

/** True when the pod's own labels or annotations changed and a volume of it may show them. */
export const showsChange = (pod: Pod, before: Pod): boolean =>
  (pod.spec?.volumes ?? []).some(({ downwardAPI, projected }) => downwardAPI !== undefined || projected?.sources?.some((source) => source.downwardAPI !== undefined))
  && !(deepEqual(pod.metadata.labels, before.metadata.labels) && deepEqual(pod.metadata.annotations, before.metadata.annotations));

/** Names of the ConfigMaps and Secrets that a pod reads, for its volumes, its environment and its pulls, and of its claims. */
export const referencesOf = (pod: Pod): { readonly configMaps: ReadonlySet<string>; readonly secrets: ReadonlySet<string>; readonly claims: ReadonlySet<string> } => {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const note = (set: Set<string>, name: string | undefined): void => {
    if (name !== undefined && name !== '') set.add(name);
  };
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    note(configMaps, configMap?.name);
    note(secrets, secret?.secretName);
    for (const projection of projected?.sources ?? []) {
      note(configMaps, projection.configMap?.name);
      note(secrets, projection.secret?.name);
    }
  }
  for (const container of allContainers(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      note(configMaps, configMapRef?.name);
      note(secrets, secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      note(configMaps, valueFrom?.configMapKeyRef?.name);
      note(secrets, valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of pod.spec?.imagePullSecrets ?? []) note(secrets, name);
  return { configMaps, secrets, claims: new Set(podClaims(pod).map(({ claimName }) => claimName)) };
};

/** Kubernetes' default life of a projected token, and the part of it after which a new one is fetched. */
const tokenSeconds = 3600;
const freshPart = 0.8;

/** How long the tokens in a pod's volumes are good to be left as they are; undefined where it has none. */
export const tokensFreshMs = (pod: Pod): number | undefined => {
  const lives = (pod.spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken }) => (serviceAccountToken === undefined ? [] : [serviceAccountToken.expirationSeconds ?? tokenSeconds]));
  return lives.length === 0 ? undefined : Math.min(...lives) * 1000 * freshPart;
};
