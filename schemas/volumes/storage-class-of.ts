import type { StorageClass } from '../kinds/storage/storage-class.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import { classAnnotation, defaultClassAnnotations } from './volume-words.ts';

interface Classed {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly storageClassName?: string | undefined };
}

/** The class that a claim or volume names; empty for none. The annotation of old goes before the field. */
export const storageClassOf = ({ metadata, spec }: Classed): string => metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? '';

/** Whether a claim leaves open which class it wants. An empty name is a choice: none. */
export const leavesClassOpen = ({ metadata, spec }: Classed): boolean => metadata.annotations?.[classAnnotation] === undefined && spec.storageClassName === undefined;

export const isDefaultClass = ({ metadata: { annotations = {} } }: { readonly metadata: ObjectMeta }): boolean => defaultClassAnnotations.some((name) => annotations[name] === 'true');

/** The default class; of several the newest, and the first by name of those made in the same second. */
export const defaultClassOf = (classes: readonly StorageClass[]): StorageClass | undefined => {
  const age = ({ metadata }: StorageClass): string => metadata.creationTimestamp ?? '';
  const name = ({ metadata }: StorageClass): string => metadata.name ?? '';
  return classes.filter(isDefaultClass).sort((a, b) => (age(a) !== age(b) ? (age(a) < age(b) ? 1 : -1) : name(a) < name(b) ? -1 : 1))[0];
};
