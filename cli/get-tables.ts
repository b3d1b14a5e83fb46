import type { ApiRequest } from '../schemas/api.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { isReason } from '../schemas/errors.ts';
import type { Table } from './api.ts';
import { CommandError, type World } from './command.ts';
import type { Resource } from './discovery.ts';
import { parseTargets } from './resource-args.ts';
import { at, type Selected } from './selection.ts';
import type { Session } from './session.ts';

/** What one target of `get` gave: a table, also where only its objects are wanted. */
export interface Collected {
  readonly resource: Resource;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly table: Table;
  /** Revision from which a watch goes on. */
  readonly resourceVersion: string | undefined;
}

export interface CollectOptions {
  readonly args: readonly string[];
  /** Instead of arguments: what -f means. */
  readonly targets: readonly Selected[] | undefined;
  readonly selector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly allNamespaces: boolean;
  readonly subresource: string | undefined;
  readonly ignoreNotFound: boolean;
  /** Rows with their whole objects. */
  readonly objects: boolean;
  /** No table is needed, objects are enough. */
  readonly plain: boolean;
  /** False for --watch-only: collections are not read. */
  readonly listFirst: boolean;
}

const plainTable = (objects: readonly ApiObject[]): Table => ({ kind: 'Table', rows: objects.map((object) => ({ cells: [], object })) });

/** Named objects of one resource in one table, as they were asked for. */
const joinNamed = (found: readonly Collected[]): readonly Collected[] => {
  const out: Collected[] = [];
  for (const one of found) {
    const before = out.findIndex((other) => other.resource === one.resource && other.name !== undefined && one.name !== undefined && other.namespace === one.namespace);
    if (before === -1) out.push(one);
    else {
      const first = out[before]!;
      out[before] = { ...first, name: undefined, table: { ...first.table, rows: [...(first.table.rows ?? []), ...(one.table.rows ?? [])] } };
      // The mark of a name is gone: several objects are a list.
    }
  }
  return out;
};

/** Reads all that `get` is asked for. Objects that cannot be read are reported beside those that can. */
export const collectTables = async (session: Session, world: World, options: CollectOptions): Promise<{ readonly found: readonly Collected[]; readonly failures: readonly unknown[] }> => {
  const discovery = await session.discovery();
  const targets = options.targets ?? parseTargets(options.args, discovery);
  const read = async (target: { readonly resource: Resource; readonly name?: string | undefined; readonly namespace?: string | undefined }): Promise<Collected> => {
    const { resource, name } = target;
    const namespace = !resource.namespaced ? undefined : target.namespace ?? (options.allNamespaces ? undefined : session.namespace);
    const place = { ...at(resource, namespace, name), subresource: options.subresource };
    if (name === undefined) {
      if (!resource.verbs.includes('list')) throw new CommandError(`the server does not allow this method on the requested resource: ${resource.plural} cannot be listed`);
      if (!options.listFirst) return { resource, name, namespace, table: plainTable([]), resourceVersion: undefined };
      const selectors = { labelSelector: options.selector, fieldSelector: options.fieldSelector };
      if (options.plain) {
        const list = await session.api.list(place, selectors, world.signal);
        return { resource, name, namespace, table: plainTable(list.items), resourceVersion: list.resourceVersion };
      }
      const table = await session.api.table({ ...place, verb: 'list', options: selectors }, { objects: options.objects, signal: world.signal });
      return { resource, name, namespace, table, resourceVersion: table.metadata?.resourceVersion };
    }
    if (options.selector !== undefined || options.fieldSelector !== undefined) throw new CommandError('name cannot be provided when a selector is specified');
    if (options.allNamespaces && resource.namespaced && target.namespace === undefined) throw new CommandError('a resource cannot be retrieved by name across all namespaces');
    const request: ApiRequest = { ...place, verb: 'get' };
    const table = options.plain
      ? plainTable([await session.api.send(request, world.signal) as ApiObject])
      : await session.api.table(request, { objects: options.objects, signal: world.signal });
    const resourceVersion = table.metadata?.resourceVersion ?? table.rows?.[0]?.object?.metadata.resourceVersion;
    return { resource, name, namespace, table, resourceVersion };
  };
  const results = await Promise.allSettled(targets.map(read));
  const found = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = results.flatMap((result) => (result.status === 'rejected' && !(options.ignoreNotFound && isReason(result.reason, 'NotFound')) ? [result.reason as unknown] : []));
  return { found: joinNamed(found), failures };
};
