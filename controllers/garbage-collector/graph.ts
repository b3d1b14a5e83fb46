import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';

/** An object of any kind. */
export interface Item {
  readonly kind: AnyKind;
  readonly object: ApiObject;
}

export const uidOf = ({ object }: Item): string => object.metadata.uid ?? '';
export const ownersOf = ({ object }: Item): readonly OwnerReference[] => object.metadata.ownerReferences ?? [];

/**
 * Who owns whom, by UID: a name may come back for another object, a UID never does. Objects are kept by reference, so
 * that the graph costs a few words an object. An owner need not be there for its dependents to be.
 */
export class OwnerGraph {
  readonly #items = new Map<string, Item>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Item | undefined {
    return this.#items.get(uid);
  }

  get size(): number {
    return this.#items.size;
  }

  /** Objects that name this one as an owner. */
  dependents(uid: string): readonly Item[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#items.get(dependent) ?? []);
  }

  /** Puts an object in, or its newer state in place of the older. */
  set(item: Item): void {
    const uid = uidOf(item);
    const old = this.#items.get(uid);
    if (old !== undefined && old.object.metadata.ownerReferences !== item.object.metadata.ownerReferences) this.#unlink(old);
    this.#items.set(uid, item);
    for (const owner of ownersOf(item)) {
      let dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) this.#dependents.set(owner.uid, dependents = new Set());
      dependents.add(uid);
    }
  }

  /** Takes an object out; its dependents stay and still name it. */
  delete(uid: string): void {
    const old = this.#items.get(uid);
    if (old === undefined) return;
    this.#unlink(old);
    this.#items.delete(uid);
  }

  #unlink(item: Item): void {
    for (const owner of ownersOf(item)) {
      const dependents = this.#dependents.get(owner.uid);
      if (dependents?.delete(uidOf(item)) === true && dependents.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}
