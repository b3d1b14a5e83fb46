import { readdir } from 'node:fs/promises';
import { apiVersionOf, type AnyKind } from './kind.ts';

/** Registry finds kinds by what a URL or a manifest says. */
export interface Registry {
  /** By group, version and plural. */
  resource(group: string, version: string, plural: string): AnyKind | undefined;
  /** By `apps/v1` and `Deployment`. */
  kind(apiVersion: string, kind: string): AnyKind | undefined;
  all(): readonly AnyKind[];
}

export const createRegistry = (kinds: readonly AnyKind[]): Registry => {
  const resources = new Map<string, AnyKind>();
  const names = new Map<string, AnyKind>();
  for (const kind of kinds) {
    const at = `${apiVersionOf(kind)}/${kind.plural}`;
    if (resources.has(at)) throw new Error(`two kinds are called ${at}`);
    resources.set(at, kind);
    names.set(`${apiVersionOf(kind)}/${kind.kind}`, kind);
  }
  const all = Object.freeze([...kinds].sort((a, b) => (apiVersionOf(a) + a.plural < apiVersionOf(b) + b.plural ? -1 : 1)));
  return {
    resource: (group, version, plural) => resources.get(`${apiVersionOf({ group, version })}/${plural}`),
    kind: (apiVersion, kind) => names.get(`${apiVersion}/${kind}`),
    all: () => all,
  };
};

const isKind = (value: unknown): value is AnyKind =>
  typeof value === 'object' && value !== null && 'plural' in value && 'schema' in value && 'scope' in value;

/** Every kind that a file of schemas/kinds exports: a new file there is a new kind. */
export const builtinKinds = async (): Promise<readonly AnyKind[]> => {
  const folder = new URL('kinds/', import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href) as Promise<Record<string, unknown>>));
  return modules.flatMap((module) => Object.values(module).filter(isKind));
};
