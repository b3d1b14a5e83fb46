/**
 * Local copies of exactly those ConfigMaps, Secrets and claims that pods of this node name: one watch per object, from the
 * first pod that needs it to the last. A node thus never holds the secrets of others.
 */
import type { ListWatchSurroundings } from '../client/list-watch-informer.ts';
import { ListWatchInformer } from '../client/list-watch-informer.ts';
import type { ApiObject, Kind } from '../schemas/kind.ts';
import { ConfigMap } from '../schemas/kinds/core/config-map.ts';
import { PersistentVolumeClaim } from '../schemas/kinds/core/persistent-volume-claim.ts';
import { Secret } from '../schemas/kinds/core/secret.ts';
import type { Sources } from './env.ts';

interface Held {
  readonly informer: ListWatchInformer<ApiObject>;
  readonly abort: AbortController;
  readonly holders: Map<string, () => void>;
  readonly running: Promise<void>;
}

export interface References { readonly configMaps: ReadonlySet<string>; readonly secrets: ReadonlySet<string>; readonly claims: ReadonlySet<string> }

export class SourceCache {
  readonly #surroundings: ListWatchSurroundings;
  readonly #held = new Map<string, Held>();

  constructor(surroundings: ListWatchSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Keeps what the holder reads, and calls it when one of them changes. Resolves when all are known. */
  async hold(holder: string, namespace: string, references: References, changed: () => void, signal: AbortSignal): Promise<void> {
    const wanted = [
      ...[...references.configMaps].map((name) => this.#hold(ConfigMap, namespace, name, holder, changed)),
      ...[...references.secrets].map((name) => this.#hold(Secret, namespace, name, holder, changed)),
      ...[...references.claims].map((name) => this.#hold(PersistentVolumeClaim, namespace, name, holder, changed)),
    ];
    await Promise.all(wanted.map(({ informer }) => informer.whenSynced(signal)));
  }

  release(holder: string): void {
    for (const [key, held] of this.#held) {
      held.holders.delete(holder);
      if (held.holders.size > 0) continue;
      held.abort.abort();
      this.#held.delete(key);
    }
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    const all = [...this.#held.values()];
    for (const { abort } of all) abort.abort();
    this.#held.clear();
    await Promise.all(all.map(({ running }) => running));
  }

  of(namespace: string): Sources {
    return { configMap: (name) => this.#get(ConfigMap, namespace, name), secret: (name) => this.#get(Secret, namespace, name) };
  }

  /** The copy of a claim that a holder named. */
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined {
    return this.#get(PersistentVolumeClaim, namespace, name);
  }

  #get<T extends ApiObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
    return this.#held.get(keyText(kind, namespace, name))?.informer.get({ namespace, name }) as T | undefined;
  }

  #hold<T extends ApiObject>(kind: Kind<T>, namespace: string, name: string, holder: string, changed: () => void): Held {
    const key = keyText(kind, namespace, name);
    let held = this.#held.get(key);
    if (held === undefined) {
      const informer = new ListWatchInformer(kind as unknown as Kind, { namespace, fieldSelector: `metadata.name=${name}` }, this.#surroundings);
      const abort = new AbortController();
      const holders = new Map<string, () => void>();
      const tell = (): void => {
        for (const call of holders.values()) call();
      };
      informer.on({ added: tell, updated: tell, deleted: tell });
      held = { informer, abort, holders, running: informer.run(abort.signal) };
      this.#held.set(key, held);
    }
    held.holders.set(holder, changed);
    return held;
  }
}

const keyText = (kind: { readonly plural: string }, namespace: string, name: string): string => `${kind.plural}/${namespace}/${name}`;
