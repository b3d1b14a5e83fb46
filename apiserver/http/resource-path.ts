import type { ResourcePath, Verb } from '../../schemas/api.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import type { Registry } from '../../schemas/registry.ts';

/** What every path that leads nowhere is answered with. */
export const noSuchResource = (): ApiError => new ApiError('NotFound', 'the server could not find the requested resource');

const methodNotAllowed = (): ApiError => new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');

/** Longest part of a path that can name something; names end at 253 characters. */
const maxSegment = 253;

/** One part of a path without its escapes. Throws BadRequest for a broken one. */
export const decoded = (segment: string): string => {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(segment.slice(0, 64))}`);
  }
};

/** Whether a part of a path can name something. */
export const isName = (part: string): boolean =>
  part !== '' && part !== '.' && part !== '..' && part.length <= maxSegment && !part.includes('/') && !part.includes('%') && !part.includes('\0');

/** Subresources of a Namespace; any other word after `namespaces/<name>` is a resource inside it. */
const ofNamespace = new Set(['status', 'finalize']);

/**
 * Reads `/api/v1/namespaces/a/pods/x/log` or `/apis/apps/v1/deployments`. Undefined when the path is not one of a
 * resource (discovery, health, nonsense). Throws BadRequest for a broken escape.
 */
export const parseResourcePath = (pathname: string): ResourcePath | undefined => {
  const parts = pathname.split('/');
  if (parts.at(-1) === '') parts.pop();
  const core = parts[1] === 'api';
  if (!core && parts[1] !== 'apis') return undefined;
  const start = core ? 3 : 4;
  const { length } = parts;
  if (length <= start || length > start + 5) return undefined;
  const escaped = pathname.includes('%');
  if (escaped) for (let at = 2; at < length; at++) parts[at] = decoded(parts[at]!);
  for (let at = 2; at < length; at++) if (!isName(parts[at]!)) return undefined;
  const group = core ? '' : parts[2]!;
  const inNamespace = parts[start] === 'namespaces' && length > start + 2 && !(group === '' && length === start + 3 && ofNamespace.has(parts[start + 2]!));
  const at = inNamespace ? start + 2 : start;
  if (length > at + 3) return undefined;
  return { group, version: parts[start - 1]!, resource: parts[at]!, namespace: inNamespace ? parts[start + 1] : undefined, name: parts[at + 1], subresource: parts[at + 2] };
};

export interface Route {
  readonly kind: AnyKind;
  readonly verb: Verb;
}

/** The verb of a method on a path; undefined where there is none. */
export const verbOf = (method: string, path: ResourcePath, watch: boolean): Verb | undefined => {
  const onObject = path.name !== undefined;
  switch (method) {
    case 'GET': return watch && path.subresource === undefined ? 'watch' : onObject ? 'get' : 'list';
    case 'HEAD': return onObject ? 'get' : 'list';
    case 'POST': return onObject === (path.subresource !== undefined) ? 'create' : undefined;
    case 'PUT': return onObject ? 'update' : undefined;
    case 'PATCH': return onObject ? 'patch' : undefined;
    case 'DELETE': return path.subresource !== undefined ? undefined : onObject ? 'delete' : 'deletecollection';
    default: return undefined;
  }
};

const subresourceVerbs = (kind: AnyKind, subresource: string): readonly string[] | undefined => {
  const { status, scale, special } = kind.subresources;
  if (special !== undefined && Object.hasOwn(special, subresource)) return special[subresource]?.verbs;
  const known = (subresource === 'status' && status === true) || (subresource === 'scale' && scale !== undefined);
  return known ? ['get', 'update', 'patch'] : undefined;
};

/**
 * What a request for a path asks for. Throws NotFound where there is no such resource (or it does not live in a
 * namespace, or only there) and MethodNotAllowed where it has no such verb.
 */
export const routeResource = (registry: Registry, method: string, path: ResourcePath, watch: boolean): Route => {
  const kind = registry.resource(path.group, path.version, path.resource);
  if (kind === undefined) throw noSuchResource();
  const namespaced = kind.scope === 'Namespaced';
  if (!namespaced && path.namespace !== undefined) throw noSuchResource();
  if (namespaced && path.namespace === undefined && path.name !== undefined) throw noSuchResource();
  const verb = verbOf(method, path, watch);
  if (path.subresource !== undefined) {
    const verbs = subresourceVerbs(kind, path.subresource);
    if (verbs === undefined) throw noSuchResource();
    if (verb === undefined || !verbs.includes(verb)) throw methodNotAllowed();
    return { kind, verb };
  }
  if (verb === undefined || (verb === 'create' && namespaced && path.namespace === undefined)) throw methodNotAllowed();
  return { kind, verb };
};
