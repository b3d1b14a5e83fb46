import type { ApiObject } from '../schemas/kind.ts';
import { CommandError } from './command.ts';
import type { Discovery, Resource } from './discovery.ts';
import type { Manifest } from './manifest.ts';
import type { Session } from './session.ts';

/** An object of a manifest with the place it goes to. */
export interface PlacedManifest {
  readonly object: ApiObject;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly source: string;
}

/**
 * Finds the resource of a manifest and fills its namespace in. Throws CommandError for kinds that the server does not
 * have and for a namespace that contradicts -n.
 */
export const resourceOfManifest = ({ object, source }: Manifest, discovery: Discovery, session: Pick<Session, 'namespace' | 'namespaceGiven'>): PlacedManifest => {
  const resource = discovery.ofKind(object.apiVersion, object.kind);
  if (resource === undefined) {
    const name = object.metadata.name ?? '';
    throw new CommandError(`resource mapping not found for name: "${name}" namespace: "${object.metadata.namespace ?? ''}" from "${source}": no matches for kind "${object.kind}" in version "${object.apiVersion}"\nensure CRDs are installed first`);
  }
  if (!resource.namespaced) return { object, resource, namespace: undefined, source };
  const own = object.metadata.namespace;
  if (own !== undefined && own !== '' && session.namespaceGiven && own !== session.namespace) {
    throw new CommandError(`${source}: the namespace from the provided object "${own}" does not match the namespace "${session.namespace}". You must pass '--namespace=${own}' to perform this operation.`);
  }
  const namespace = own === undefined || own === '' ? session.namespace : own;
  return { object: { ...object, metadata: { ...object.metadata, namespace } }, resource, namespace, source };
};
