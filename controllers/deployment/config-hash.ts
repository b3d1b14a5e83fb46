/**
 * The template that a Deployment's pods are really of: with a hash of the ConfigMaps and Secrets that they read, where the
 * Deployment asks for a rollout when those change. The hash is put in between the Deployment and its ReplicaSets and never
 * written into the Deployment, so that there is nothing that kubectl apply could take away or a user could fight with.
 */
import { createHash } from 'node:crypto';
import { configReferences, type ConfigReference } from '../../schemas/config-references.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import { annotationNames, rollsOutOnConfigChange } from '../../schemas/rollout-annotations.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';
import { revisionOf } from './revisions.ts';
import { sameTemplate } from './template-hash.ts';

/** Finds what a reference names. */
export type ConfigSource = (reference: ConfigReference) => ConfigMap | Secret | undefined;

const { configHash } = annotationNames;

/** Index of Deployments by what would make them roll out: `default/ConfigMap/web`. Others stand nowhere. */
export const byConfig = ({ metadata, spec }: Deployment): readonly string[] =>
  (rollsOutOnConfigChange(metadata.annotations) ? configReferences(spec.template.spec).map(({ kind, name }) => `${metadata.namespace}/${kind}/${name}`) : []);

/** The data that counts, key by key in their order: labels and annotations of the object do not. */
const dataOf = (object: ConfigMap | Secret | undefined, { keys }: ConfigReference): readonly (readonly [string, string])[] => {
  if (object === undefined) return [];
  const all = { ...object.data, ...('binaryData' in object ? object.binaryData : undefined) };
  return Object.entries(all).filter(([key]) => keys === undefined || keys.has(key)).sort(([a], [b]) => (a < b ? -1 : 1));
};

/** The hash of all that the pods read; undefined while something is missing that they cannot start without. */
const hashOf = (deployment: Deployment, source: ConfigSource): string | undefined => {
  const hash = createHash('sha256');
  // Salted, so that equal secrets of two Deployments do not show as equal.
  hash.update(JSON.stringify(deployment.metadata.uid ?? ''));
  for (const reference of configReferences(deployment.spec.template.spec)) {
    const object = source(reference);
    if (object === undefined && !reference.optional) return undefined;
    hash.update(JSON.stringify([reference.kind, reference.name, object !== undefined, dataOf(object, reference)]));
  }
  return hash.digest('hex').slice(0, 16);
};

const withHash = (template: PodTemplateSpec, hash: string | undefined): PodTemplateSpec => {
  const { [configHash]: old, ...others } = template.metadata?.annotations ?? {};
  if (old === hash) return template;
  const { annotations: _, ...metadata } = template.metadata ?? {};
  const annotations = hash === undefined ? others : { ...others, [configHash]: hash };
  return { ...template, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
};

/** A template as its author wrote it. */
export const withoutConfigHash = (template: PodTemplateSpec): PodTemplateSpec => withHash(template, undefined);

/**
 * The Deployment with the template that its pods are to be of; the same object where there is nothing to add. While the
 * hash cannot be told, or is not asked for any more, it stays what it was: neither is a reason to replace pods.
 */
export const withConfig = (deployment: Deployment, replicaSets: readonly ReplicaSet[], source: ConfigSource): Deployment => {
  if (deployment.spec?.template === undefined) return deployment;
  const { template } = deployment.spec;
  const told = rollsOutOnConfigChange(deployment.metadata.annotations) ? hashOf(deployment, source) : undefined;
  const hash = told ?? keptHash(template, replicaSets);
  const next = withHash(template, hash);
  return next === template ? deployment : { ...deployment, spec: { ...deployment.spec, template: next } };
};

/** The hash of the newest ReplicaSet that is of this template but for the hash. */
const keptHash = (template: PodTemplateSpec, replicaSets: readonly ReplicaSet[]): string | undefined => {
  const hashed = replicaSets.filter(({ spec }) => spec?.template?.metadata?.annotations?.[configHash] !== undefined);
  if (hashed.length === 0) return template.metadata?.annotations?.[configHash];
  const bare = withoutConfigHash(template);
  const same = replicaSets.filter(({ spec }) => spec?.template !== undefined && sameTemplate(withoutConfigHash(spec.template), bare));
  const newest = same.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
  return newest === undefined ? template.metadata?.annotations?.[configHash] : newest.spec?.template?.metadata?.annotations?.[configHash];
};
