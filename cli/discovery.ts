import { discover } from '../client/discovery.ts';
import type { HttpConnection } from '../client/http-connection.ts';
import { CommandError } from './command.ts';

/** One resource that a server offers. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

/** What a server offers, and how users name it. */
export class Discovery {
  readonly resources: readonly Resource[];

  constructor(resources: readonly Resource[]) {
    this.resources = resources;
  }

  /** Asks the server. Nothing is cached on disk: the two answers are small and never stale. */
  static async read(connection: HttpConnection, signal: AbortSignal): Promise<Discovery> {
    const found = await discover({ raw: (request, abort) => connection.whole(request, abort) }, signal);
    return new Discovery(found.map(({ name, singularName, ...rest }) => ({ ...rest, plural: name, singular: singularName })));
  }

  /**
   * The resource of a word: plural, singular, short name or kind, with `.group` or `.version.group` behind it. Plurals go
   * before other names, the core group before others. Throws kubectl's message when there is none.
   */
  named(word: string): Resource {
    const found = this.find(word);
    if (found === undefined) throw new CommandError(`the server doesn't have a resource type "${word}"`);
    return found;
  }

  find(word: string): Resource | undefined {
    const [name, ...rest] = word.toLowerCase().split('.');
    if (name === undefined || name === '') return undefined;
    const group = rest.join('.');
    const [version, ...groupRest] = rest;
    const inGroup = rest.length === 0
      ? this.resources
      : this.resources.filter((resource) => resource.group === group || (resource.version === version && resource.group === groupRest.join('.'))
        || (resource.group.startsWith(`${group}.`)));
    return inGroup.find((resource) => resource.plural === name)
      ?? inGroup.find((resource) => resource.singular === name || resource.kind.toLowerCase() === name)
      ?? inGroup.find((resource) => resource.shortNames.includes(name));
  }

  /** The resource of a manifest's apiVersion and kind. */
  ofKind(apiVersion: string, kind: string): Resource | undefined {
    const slash = apiVersion.indexOf('/');
    const group = slash === -1 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    return this.resources.find((resource) => resource.group === group && resource.version === version && resource.kind === kind);
  }

  /** Resources of a category such as `all`, in the order of discovery. */
  category(name: string): readonly Resource[] {
    const found = this.resources.filter((resource) => resource.categories.includes(name) && resource.verbs.includes('list'));
    // Of several versions of one resource the first is the preferred one.
    return found.filter((resource, at) => found.findIndex((other) => other.group === resource.group && other.plural === resource.plural) === at);
  }
}

/** `deployment.apps` as prints name a kind: singular and group. */
export const shownKind = (resource: Resource): string => {
  const singular = resource.singular === '' ? resource.kind.toLowerCase() : resource.singular;
  return resource.group === '' ? singular : `${singular}.${resource.group}`;
};

/** `deployment.apps/web`. */
export const shownName = (resource: Resource, name: string): string => `${shownKind(resource)}/${name}`;

/** `deployments.apps`. */
export const qualifiedPlural = (resource: Resource): string => (resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`);
