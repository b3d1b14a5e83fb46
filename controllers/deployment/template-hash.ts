import { deepEqual } from '../../schemas/frozen.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';

export const templateHashLabel = 'pod-template-hash';

/** The template without the label that tells ReplicaSets apart. */
const bare = (template: PodTemplateSpec | undefined): object => {
  const { [templateHashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
};

/** Whether two templates ask for the same pods; the hash label does not count. */
export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean => deepEqual(bare(a), bare(b));

/** JSON with sorted keys and without absent members: one text for equal values. */
const canonical = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  return `{${Object.keys(members).filter((key) => members[key] !== undefined).sort().map((key) => `${JSON.stringify(key)}:${canonical(members[key])}`).join(',')}}`;
};

/** FNV-1a with 32 bits over the UTF-8 bytes. */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
};

/** No vowels and no 0, 1, 3: nothing that reads as a word or that one can mistake. */
const safeLetters = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A short name for a template, the same for equal templates at all times: it ends up in names and labels. The collision
 * count makes another name when this one is taken by a different template.
 */
export const templateHash = (template: PodTemplateSpec, collisionCount = 0): string => {
  const text = canonical(bare(template)) + (collisionCount === 0 ? '' : `#${collisionCount}`);
  // Each digit becomes a letter; the map is one to one, so nothing of the hash is lost.
  return [...String(fnv1a(text))].map((digit) => safeLetters[digit.charCodeAt(0) % safeLetters.length]).join('');
};
