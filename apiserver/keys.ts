import type { AnyKind } from '../schemas/kind.ts';

/** Where an object stands in the store and the cache: `/pods/default/web`, `apps/deployments/default/web`, `/nodes//n1`. */
export const keyOf = (kind: AnyKind, namespace: string, name: string): string => `${kind.group}/${kind.plural}/${namespace}/${name}`;

/** The prefix of a kind's keys, or of those of one namespace. */
export const prefixOf = (kind: AnyKind, namespace: string): string =>
  namespace === '' ? `${kind.group}/${kind.plural}/` : `${kind.group}/${kind.plural}/${namespace}/`;

export const namespaceKey = (name: string): string => `/namespaces//${name}`;
