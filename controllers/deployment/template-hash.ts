import { deepEqual } from '../../schemas/frozen.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';
import { shortHash } from '../short-hash.ts';

export const templateHashLabel = 'pod-template-hash';

/** The template without the label that tells ReplicaSets apart. */
const bare = (template: PodTemplateSpec | undefined): object => {
  const { [templateHashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
};

/** Whether two templates ask for the same pods; the hash label does not count. */
export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean => deepEqual(bare(a), bare(b));

/** A short name for a template, the same for equal templates at all times (short-hash.ts). */
export const templateHash = (template: PodTemplateSpec, collisionCount = 0): string => shortHash(bare(template), collisionCount);
