/**
 * Discovery: which groups, versions, kinds and verbs there are, in the three forms that clients ask for (the list of a
 * group version, the list of groups, and everything in one document). All of it follows from the registry.
 */
import { apiVersionOf, type AnyKind } from '../schemas/kind.ts';
import type { Registry } from '../schemas/registry.ts';

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;
const partVerbs = ['get', 'patch', 'update'] as const;

interface Part {
  readonly name: string;
  readonly verbs: readonly string[];
  /** What its bodies are, where they are not the kind itself. */
  readonly kind: string;
  readonly group: string;
  readonly version: string;
}

/** The subresources of a kind as discovery shows them, by name. */
const partsOf = (kind: AnyKind): readonly Part[] => {
  const { status, scale, special } = kind.subresources;
  return [
    ...(status === undefined ? [] : [{ name: 'status', verbs: partVerbs, kind: kind.kind, group: kind.group, version: kind.version }]),
    ...(scale === undefined ? [] : [{ name: 'scale', verbs: partVerbs, kind: 'Scale', group: 'autoscaling', version: 'v1' }]),
    ...Object.entries(special ?? {}).map(([name, one]) => ({
      name, verbs: one.verbs, kind: one.kind, group: one.group ?? kind.group, version: one.version ?? kind.version,
    })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** `v2` before `v1` before `v1beta2` before `v1alpha1`, and anything else last. */
const versionOrder = (a: string, b: string): number => {
  const rank = (version: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [-1, 0, 0];
    return [match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at < 0 ? (a < b ? -1 : 1) : right[at]! - left[at]!;
};

interface Group {
  readonly name: string;
  /** Preferred first. */
  readonly versions: ReadonlyMap<string, readonly AnyKind[]>;
}

/** All groups by name, the core group (whose name is empty) first. */
export const groupsOf = (registry: Registry): readonly Group[] => {
  const groups = new Map<string, Map<string, AnyKind[]>>();
  for (const kind of registry.all()) {
    const versions = groups.get(kind.group) ?? new Map<string, AnyKind[]>();
    groups.set(kind.group, versions);
    versions.set(kind.version, [...(versions.get(kind.version) ?? []), kind]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, versions]) => ({
    name, versions: new Map([...versions].sort(([a], [b]) => versionOrder(a, b))),
  }));
};

/** `/api`: the versions of the core group. */
export const coreVersions = (registry: Registry): object => ({
  kind: 'APIVersions', versions: groupsOf(registry).filter((group) => group.name === '').flatMap((group) => [...group.versions.keys()]),
  serverAddressByClientCIDRs: [],
});

const groupDocument = (group: Group): object => {
  const versions = [...group.versions.keys()].map((version) => ({ groupVersion: apiVersionOf({ group: group.name, version }), version }));
  return { name: group.name, versions, preferredVersion: versions[0] };
};

/** `/apis`: the groups beside the core group. */
export const groupList = (registry: Registry): object => ({
  kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(registry).filter((group) => group.name !== '').map(groupDocument),
});

/** `/apis/<group>`, or undefined. */
export const groupOf = (registry: Registry, name: string): object | undefined => {
  const found = groupsOf(registry).find((group) => group.name === name && name !== '');
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(found) };
};

/** `/api/v1` and `/apis/<group>/<version>`, or undefined. Subresources are entries of their own, such as `pods/log`. */
export const resourceList = (registry: Registry, group: string, version: string): object | undefined => {
  const kinds = groupsOf(registry).find((one) => one.name === group)?.versions.get(version);
  if (kinds === undefined) return undefined;
  return {
    kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [
      {
        name: kind.plural, singularName: kind.singular, namespaced: kind.scope === 'Namespaced', kind: kind.kind, verbs: kind.verbs ?? objectVerbs,
        ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }), ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
      },
      ...partsOf(kind).map((part) => ({
        name: `${kind.plural}/${part.name}`, singularName: '', namespaced: kind.scope === 'Namespaced', kind: part.kind, verbs: part.verbs,
        ...(part.group === kind.group && part.version === kind.version ? {} : { group: part.group, version: part.version }),
      })),
    ]),
  };
};

const aggregatedResource = (kind: AnyKind): object => {
  const parts = partsOf(kind).map((part) => ({
    subresource: part.name, responseKind: { group: part.group, version: part.version, kind: part.kind }, verbs: part.verbs,
  }));
  return {
    resource: kind.plural, responseKind: { group: kind.group, version: kind.version, kind: kind.kind }, scope: kind.scope, singularResource: kind.singular,
    verbs: kind.verbs ?? objectVerbs, ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }), ...(parts.length === 0 ? {} : { subresources: parts }),
  };
};

/** `/api` (`core`) or `/apis` (`groups`) with everything in it, for clients that ask for apidiscovery.k8s.io. */
export const aggregated = (registry: Registry, which: 'core' | 'groups', version: 'v2' | 'v2beta1'): object => ({
  kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {},
  items: groupsOf(registry).filter((group) => (group.name === '') === (which === 'core')).map((group) => ({
    metadata: group.name === '' ? { creationTimestamp: null } : { name: group.name, creationTimestamp: null },
    versions: [...group.versions].map(([name, kinds]) => ({ version: name, freshness: 'Current', resources: kinds.map(aggregatedResource) })),
  })),
});
