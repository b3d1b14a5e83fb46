import { readdir } from 'node:fs/promises';
import { apiVersionOf, type AnyKind } from './kind.ts';

/** Registry finds kinds by what a URL or a manifest says. */
export interface Registry {
  /** By group, version and plural. */
  resource(group: string, version: string, plural: string): AnyKind | undefined;
  /** By `apps/v1` and `Deployment`. */
  kind(apiVersion: string, kind: string): AnyKind | undefined;
  /** All of them by group, version and plural. The same array as long as no kind comes, goes or is replaced. */
  all(): readonly AnyKind[];
}

const addressOf = (kind: AnyKind): string => `${apiVersionOf(kind)}/${kind.plural}`;
const nameOf = (kind: AnyKind): string => `${apiVersionOf(kind)}/${kind.kind}`;

const inOrder = (kinds: readonly AnyKind[]): readonly AnyKind[] =>
  Object.freeze([...kinds].sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1)));

/** A registry of kinds that stay as they are. Throws where two have one address. */
export const createRegistry = (kinds: readonly AnyKind[]): Registry => {
  const resources = new Map<string, AnyKind>();
  const names = new Map<string, AnyKind>();
  for (const kind of kinds) {
    const at = addressOf(kind);
    if (resources.has(at)) throw new Error(`two kinds are called ${at}`);
    resources.set(at, kind);
    names.set(nameOf(kind), kind);
  }
  const all = inOrder(kinds);
  return {
    resource: (group, version, plural) => resources.get(`${apiVersionOf({ group, version })}/${plural}`),
    kind: (apiVersion, kind) => names.get(`${apiVersion}/${kind}`),
    all: () => all,
  };
};

/**
 * The kinds of another registry, and such as come and go while the program runs. Those of one owner (the name of the
 * definition that makes them) are replaced together. A kind that would stand in another's place is left out.
 */
export class GrowingRegistry implements Registry {
  readonly #base: Registry;
  readonly #owned = new Map<string, readonly AnyKind[]>();
  readonly #listeners = new Set<() => void>();
  #resources: ReadonlyMap<string, AnyKind> = new Map();
  #names: ReadonlyMap<string, AnyKind> = new Map();
  #all: readonly AnyKind[] | undefined;

  constructor(base: Registry) {
    this.#base = base;
  }

  resource(group: string, version: string, plural: string): AnyKind | undefined {
    return this.#base.resource(group, version, plural) ?? this.#resources.get(`${apiVersionOf({ group, version })}/${plural}`);
  }

  kind(apiVersion: string, kind: string): AnyKind | undefined {
    return this.#base.kind(apiVersion, kind) ?? this.#names.get(`${apiVersion}/${kind}`);
  }

  all(): readonly AnyKind[] {
    return this.#all ??= this.#owned.size === 0 ? this.#base.all() : inOrder([...this.#base.all(), ...this.#resources.values()]);
  }

  /** Puts these kinds in place of those that the owner had before; none takes them away. */
  replace(owner: string, kinds: readonly AnyKind[]): void {
    if (kinds.length === 0 && !this.#owned.has(owner)) return;
    if (kinds.length === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, kinds);
    const resources = new Map<string, AnyKind>();
    const names = new Map<string, AnyKind>();
    for (const kind of [...this.#owned.values()].flat()) {
      const at = addressOf(kind);
      if (resources.has(at) || this.#base.resource(kind.group, kind.version, kind.plural) !== undefined) continue;
      resources.set(at, kind);
      if (!names.has(nameOf(kind))) names.set(nameOf(kind), kind);
    }
    this.#resources = resources;
    this.#names = names;
    this.#all = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after each change; gives back how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

const isKind = (value: unknown): value is AnyKind =>
  typeof value === 'object' && value !== null && 'plural' in value && 'schema' in value && 'scope' in value;

/** Every kind that a file of schemas/kinds exports: a new file there is a new kind. */
export const builtinKinds = async (): Promise<readonly AnyKind[]> => {
  const folder = new URL('kinds/', import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href) as Promise<Record<string, unknown>>));
  return modules.flatMap((module) => Object.values(module).filter(isKind));
};
