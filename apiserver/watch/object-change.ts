import type { WatchEvent } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { storedObject } from '../encoding.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/**
 * One change of one object as watchers see it. The events that it can be to them (an object may start or stop to match)
 * are made at most once each, and only if somebody wants them.
 */
export class ObjectChange {
  readonly key: string;
  readonly revision: number;
  readonly atMs: number;
  /** About how much text the state before has, which nobody but the history holds any more; 0 for a new object. */
  readonly characters: number;
  /** The state before; undefined when the object is new. */
  readonly before: ApiObject | undefined;
  /** The state after; undefined when the object is gone. */
  readonly after: ApiObject | undefined;
  #added: WatchEvent | undefined;
  #modified: WatchEvent | undefined;
  #deleted: WatchEvent | undefined;

  constructor(change: Pick<ObjectChange, 'key' | 'revision' | 'atMs' | 'characters' | 'before' | 'after'>) {
    this.key = change.key;
    this.revision = change.revision;
    this.atMs = change.atMs;
    this.characters = change.characters;
    this.before = change.before;
    this.after = change.after;
  }

  /** What the change is to a watcher that wants the object before it, after it, both or neither (undefined). */
  typeFor(before: boolean, after: boolean): ChangeType | undefined {
    if (after) return before ? 'MODIFIED' : 'ADDED';
    return before ? 'DELETED' : undefined;
  }

  /** The frozen event of a type, shared by all watchers. DELETED carries the last state at this change's revision. */
  event(type: ChangeType): WatchEvent {
    switch (type) {
      case 'ADDED': return this.#added ??= Object.freeze({ type, object: this.after! });
      case 'MODIFIED': return this.#modified ??= Object.freeze({ type, object: this.after! });
      case 'DELETED': return this.#deleted ??= Object.freeze({ type, object: storedObject(this.before!, this.revision) });
    }
  }
}
