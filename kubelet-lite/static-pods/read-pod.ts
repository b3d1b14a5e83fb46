/** From the text of a file to a pod that the agent can run: what the API server does with a new pod, and the kubelet's rules for static ones. Pure. */
import { createHash } from 'node:crypto';
import { rfc3339 } from '../../base/clock.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { apiReferences, configHash, configSource } from '../../schemas/static-pods.ts';
import { applyDefaults, decode, unknownField, validate } from '../../schemas/validate.ts';

/** Reads the documents of a text, of YAML or JSON; throws an error that names the file and the place. */
export type ReadManifest = (text: string, file: string) => readonly { readonly value: unknown }[];

export interface PodFile {
  /** Path by which messages name it, and by which it counts as the same. */
  readonly file: string;
  readonly text: string;
}

export interface ReadPodOptions {
  readonly nodeName: string;
  readonly readManifest: ReadManifest;
  readonly nowMs: number;
}

export interface ReadPod {
  readonly pod: Pod;
  /** What the file says that nobody understands. */
  readonly warnings: readonly string[];
}

/** A file that holds no pod which can run here; the message names the file and, where it is about one, the field. */
export class PodFileError extends Error {
  override readonly name = 'PodFileError';
}

type Draft = ReturnType<typeof decode<Pod>>['object'];

/** The pod of a file. Its name ends with the node's, its UID is a hash of node, path and content: another content is another pod. */
export const readStaticPod = ({ file, text }: PodFile, { nodeName, readManifest, nowMs }: ReadPodOptions): ReadPod => {
  const documents = readManifest(text, file);
  const refuse = (why: string): PodFileError => new PodFileError(`${file}: ${why}`);
  const [document] = documents;
  if (document === undefined || documents.length > 1) throw refuse(`a file must hold one pod, and this one holds ${documents.length} documents`);
  const { apiVersion, kind } = (typeof document.value === 'object' ? document.value : {}) as { readonly apiVersion?: unknown; readonly kind?: unknown };
  if (apiVersion !== 'v1' || kind !== 'Pod') throw refuse(`apiVersion and kind must be v1 and Pod, and are ${JSON.stringify(apiVersion ?? '')} and ${JSON.stringify(kind ?? '')}`);
  let decoded: ReturnType<typeof decode<Pod>>;
  try {
    decoded = decode(Pod, document.value);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const hash = createHash('sha256').update(JSON.stringify([nodeName, file, decoded.object])).digest('hex').slice(0, 32);
  const pod = staticPod(decoded.object, { nodeName, hash, nowMs });
  const references = apiReferences(pod.spec).map(({ field, what }) => `${field}: static pods may not reference ${what}`);
  if (references.length > 0) throw refuse(references.join('; '));
  const errors = validate(Pod, pod);
  if (errors.length > 0) throw refuse(errors.map(({ field, message }) => `${field}: ${message}`).join('; '));
  return { pod, warnings: decoded.unknown.map((field) => `${file}: ${unknownField(field)}`) };
};

const staticPod = (draft: Draft, { nodeName, hash, nowMs }: { readonly nodeName: string; readonly hash: string; readonly nowMs: number }): Pod => {
  const { name, namespace, labels, annotations } = draft.metadata;
  draft.metadata = {
    ...(name === undefined || name === '' ? {} : { name: `${name}-${nodeName}` }), namespace: namespace || 'default', uid: hash, resourceVersion: '1', creationTimestamp: rfc3339(nowMs),
    ...(labels === undefined ? {} : { labels }), annotations: { ...annotations, [configSource]: 'file', [configHash]: hash },
  };
  applyDefaults(Pod.schema, draft);
  Pod.prepare?.(draft, undefined);
  draft.spec.nodeName = nodeName;
  // Nobody else could start it again: no taint makes it leave.
  draft.spec.tolerations = [...(draft.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }];
  draft.status = { phase: 'Pending' };
  return draft as Pod;
};
