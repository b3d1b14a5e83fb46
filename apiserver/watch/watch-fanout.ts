import type { ApiObject } from '../../schemas/kind.ts';
import type { ChangeType, ObjectChange } from './object-change.ts';
import type { WatchQueue } from './watch-queue.ts';

/** What a watcher wants of the objects under its prefix. */
export interface Interest {
  /** A collection (`/pods/`), a namespace of it (`/pods/default/`), or the whole key of one object. */
  readonly prefix: string;
  /** A selectable field that must have this value. Watchers are found by it, so others cost nothing. */
  readonly field?: { readonly path: string; readonly value: string } | undefined;
  /** Whatever else must hold. */
  readonly matches?: ((object: ApiObject) => boolean) | undefined;
}

export type FieldReader = (object: ApiObject) => string;

export interface Watcher extends Interest {
  readonly queue: WatchQueue;
  readonly readField?: FieldReader | undefined;
}

/** Watchers of one prefix. */
interface Group {
  readonly plain: Set<Watcher>;
  readonly fields: Map<string, { readonly read: FieldReader; readonly watchers: Map<string, Set<Watcher>> }>;
}

const watchersOf = (group: Group): readonly Watcher[] =>
  [...group.plain, ...[...group.fields.values()].flatMap((field) => [...field.watchers.values()].flatMap((same) => [...same]))];

/** Prefixes under which a key is watched: its collection, its namespace, itself. */
export const prefixesOf = (key: string): readonly [collection: string, namespace: string, key: string] => {
  const plural = key.indexOf('/') + 1;
  const namespace = key.indexOf('/', plural) + 1;
  return [key.slice(0, namespace), key.slice(0, key.indexOf('/', namespace) + 1), key];
};

/** What a change is to a watcher; undefined: nothing. */
export const changeFor = (change: ObjectChange, interest: Interest & { readonly readField?: FieldReader | undefined }): ChangeType | undefined => {
  const { field, readField, matches } = interest;
  const wants = (object: ApiObject | undefined): boolean =>
    object !== undefined && (field === undefined || readField!(object) === field.value) && (matches === undefined || matches(object));
  return change.typeFor(wants(change.before), wants(change.after));
};

/**
 * WatchFanout brings a change to the watchers that want it. They stand grouped by prefix and, within it, by the value of
 * the field they select, so that a pod's change meets the watchers of its node and not those of a thousand other nodes.
 * Only free predicates (label selectors) are tried one by one.
 */
export class WatchFanout {
  readonly #groups = new Map<string, Group>();
  #touched: WatchQueue[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    let group = this.#groups.get(watcher.prefix);
    if (group === undefined) this.#groups.set(watcher.prefix, group = { plain: new Set(), fields: new Map() });
    this.#size++;
    if (watcher.field === undefined) {
      group.plain.add(watcher);
      return;
    }
    const { path, value } = watcher.field;
    let field = group.fields.get(path);
    if (field === undefined) group.fields.set(path, field = { read: watcher.readField!, watchers: new Map() });
    const same = field.watchers.get(value);
    if (same === undefined) field.watchers.set(value, new Set([watcher]));
    else same.add(watcher);
  }

  delete(watcher: Watcher): void {
    const group = this.#groups.get(watcher.prefix);
    if (group === undefined) return;
    if (watcher.field === undefined) {
      if (group.plain.delete(watcher)) this.#size--;
    } else {
      const { path, value } = watcher.field;
      const field = group.fields.get(path);
      const same = field?.watchers.get(value);
      if (field === undefined || same === undefined) return;
      if (same.delete(watcher)) this.#size--;
      if (same.size === 0) field.watchers.delete(value);
      if (field.watchers.size === 0) group.fields.delete(path);
    }
    if (group.plain.size === 0 && group.fields.size === 0) this.#groups.delete(watcher.prefix);
  }

  /** Puts the change into the queues of those who want it. Their readers wake with `flush`. */
  publish(change: ObjectChange): void {
    for (const prefix of prefixesOf(change.key)) {
      const group = this.#groups.get(prefix);
      if (group === undefined) continue;
      const type = change.typeFor(change.before !== undefined, change.after !== undefined)!;
      for (const watcher of group.plain) this.#deliver(change, watcher, watcher.matches === undefined ? type : undefined);
      for (const { read, watchers } of group.fields.values()) {
        const before = change.before === undefined ? undefined : read(change.before);
        const after = change.after === undefined ? undefined : read(change.after);
        if (before !== undefined) for (const watcher of watchers.get(before) ?? []) this.#deliver(change, watcher);
        if (after !== undefined && after !== before) for (const watcher of watchers.get(after) ?? []) this.#deliver(change, watcher);
      }
    }
  }

  /** Wakes the readers of all queues that were put into since the last flush. */
  flush(): void {
    const touched = this.#touched;
    this.#touched = [];
    for (const queue of touched) queue.flush();
  }

  /** Ends all watches. */
  end(error?: Error): void {
    for (const group of this.#groups.values()) for (const { queue } of watchersOf(group)) queue.end(error);
  }

  /** Ends the watches of one collection (`/pods/`) after what is in their queues. */
  endCollection(collection: string): void {
    for (const [prefix, group] of this.#groups) {
      if (!prefix.startsWith(collection)) continue;
      for (const { queue } of watchersOf(group)) {
        queue.flush();
        queue.end();
      }
    }
  }

  #deliver(change: ObjectChange, watcher: Watcher, known?: ChangeType): void {
    let type = known;
    if (type === undefined) {
      try {
        type = changeFor(change, watcher);
      } catch (error) {
        // A predicate that throws ends its own watch and nobody else's.
        watcher.queue.end(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (type === undefined) return;
    }
    if (watcher.queue.push(change.event(type), change.revision)) this.#touched.push(watcher.queue);
  }
}
