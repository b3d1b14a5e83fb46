import type { AnyKind } from '../schemas/kind.ts';
import type { Registry } from '../schemas/registry.ts';

/** Every kind once: of one that is served in several versions the first, for all versions show the same objects. */
export const distinctKinds = (registry: Registry): readonly AnyKind[] => {
  const kinds = new Map<string, AnyKind>();
  for (const kind of registry.all()) {
    const id = `${kind.group}/${kind.plural}`;
    if (!kinds.has(id)) kinds.set(id, kind);
  }
  return [...kinds.values()];
};
