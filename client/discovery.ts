/** Asks a server which kinds it serves: one request where it knows aggregated discovery, one for each group where not. */
import { ApiError, isReason } from '../schemas/errors.ts';
import type { Streams } from './streams.ts';

/** One kind that a server serves, in one version. */
export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural name. */
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Names of its subresources: `status`, `scale`, `log`. */
  readonly subresources: readonly string[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

interface AggregatedBody {
  readonly kind?: string;
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly singularResource?: string;
        readonly responseKind?: { readonly kind?: string };
        readonly scope?: string;
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
        readonly verbs?: readonly string[];
        readonly subresources?: readonly { readonly subresource: string }[];
      }[];
    }[];
  }[];
}

interface GroupsBody {
  readonly versions?: readonly string[];
  readonly groups?: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[];
}

interface ResourcesBody {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** All kinds of a server, the core group first, then in its order; the preferred version of a group before others. */
export const discover = async (streams: Pick<Streams, 'raw'>, signal?: AbortSignal): Promise<readonly ServedResource[]> => {
  const roots = await Promise.all(['/api', '/apis'].map((path) => json(streams, path, aggregated, signal)));
  const found = await Promise.all(roots.map((body, index) => (
    isAggregated(body) ? fromAggregated(body) : fromGroups(streams, index === 0, body as GroupsBody, signal)
  )));
  return found.flat();
};

const json = async (streams: Pick<Streams, 'raw'>, path: string, accept: string, signal: AbortSignal | undefined): Promise<unknown> => {
  const answer = await streams.raw({ method: 'GET', path, accept }, signal);
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown;
  } catch (error) {
    throw new ApiError('ServiceUnavailable', `the answer to ${path} is not JSON: is this an API server?`, undefined, { cause: error });
  }
};

const isAggregated = (body: unknown): body is AggregatedBody =>
  typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'APIGroupDiscoveryList';

const fromAggregated = (body: AggregatedBody): readonly ServedResource[] =>
  (body.items ?? []).flatMap((group) => (group.versions ?? []).flatMap(({ version, resources = [] }) => resources.map((resource) => ({
    group: group.metadata?.name ?? '', version, kind: resource.responseKind?.kind ?? '', name: resource.resource,
    singularName: resource.singularResource ?? '', namespaced: resource.scope === 'Namespaced',
    shortNames: resource.shortNames ?? [], categories: resource.categories ?? [], verbs: resource.verbs ?? [],
    subresources: (resource.subresources ?? []).map((one) => one.subresource),
  }))));

const fromGroups = async (streams: Pick<Streams, 'raw'>, core: boolean, body: GroupsBody, signal: AbortSignal | undefined): Promise<readonly ServedResource[]> => {
  const versions = core
    ? (body.versions ?? []).map((version) => ({ group: '', version }))
    : (body.groups ?? []).flatMap((group) => group.versions.map(({ version }) => ({ group: group.name, version })));
  const lists = await Promise.all(versions.map(async (at) => {
    try {
      const path = core ? `/api/${at.version}` : `/apis/${at.group}/${at.version}`;
      return fromResources(at, await json(streams, path, 'application/json', signal) as ResourcesBody);
    } catch (error) {
      // A group whose own server is away must not hide all others.
      if (isReason(error, 'NotFound', 'ServiceUnavailable')) return [];
      throw error;
    }
  }));
  return lists.flat();
};

const fromResources = (at: { readonly group: string; readonly version: string }, { resources = [] }: ResourcesBody): readonly ServedResource[] =>
  resources.filter((resource) => !resource.name.includes('/')).map((resource) => ({
    ...at, kind: resource.kind, name: resource.name, singularName: resource.singularName ?? '', namespaced: resource.namespaced,
    shortNames: resource.shortNames ?? [], categories: resource.categories ?? [], verbs: resource.verbs,
    subresources: resources.filter((other) => other.name.startsWith(`${resource.name}/`)).map((other) => other.name.slice(resource.name.length + 1)),
  }));
