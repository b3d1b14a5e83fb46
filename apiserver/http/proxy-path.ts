import type { ResourcePath } from '../../schemas/api.ts';
import type { ProxiedResource } from '../core.ts';
import { decoded, isName } from './resource-path.ts';

export interface ProxyPath {
  /** The URL's path up to and with `/proxy`, as it came. */
  readonly prefix: string;
  readonly resource: ProxiedResource;
  readonly namespace?: string | undefined;
  readonly name: string;
  /** What follows, as it came: empty, or from a slash on. */
  readonly path: string;
}

const pattern = /^(\/api\/v1\/(?:namespaces\/([^/]+)\/(pods|services)|(nodes))\/([^/]+)\/proxy)(\/.*)?$/s;

/** The parts of a path through `proxy` of a pod, service or node; undefined for every other path. Throws BadRequest for a broken escape. */
export const parseProxyPath = (pathname: string): ProxyPath | undefined => {
  const match = pattern.exec(pathname);
  if (match === null) return undefined;
  const [, prefix = '', namespaceText, inNamespace, nodes, nameText = '', path = ''] = match;
  const name = decoded(nameText);
  const namespace = namespaceText === undefined ? undefined : decoded(namespaceText);
  if (!isName(name) || (namespace !== undefined && !isName(namespace))) return undefined;
  return { prefix, resource: (inNamespace ?? nodes) as ProxiedResource, namespace, name, path };
};

/** The resource that such a path is about, as it is counted. */
export const resourceOf = ({ resource, namespace, name }: ProxyPath): ResourcePath => ({ group: '', version: 'v1', resource, namespace, name, subresource: 'proxy' });
