import { serves, type AnyKind } from '../schemas/kind.ts';
import type { Registry } from '../schemas/registry.ts';

/** Every kind of which objects can be stored, each once: what is another form of a stored kind shows the same objects. */
export const distinctKinds = (registry: Registry): readonly AnyKind[] => {
  const kinds = new Map<string, AnyKind>();
  for (const kind of registry.all()) {
    if (kind.storedAs !== undefined || !serves(kind, 'list') || !serves(kind, 'watch') || !serves(kind, 'delete')) continue;
    const id = `${kind.group}/${kind.plural}`;
    // The version in which custom objects are stored costs no conversion.
    if (!kinds.has(id) || kind.custom?.isStored === true) kinds.set(id, kind);
  }
  return [...kinds.values()];
};
