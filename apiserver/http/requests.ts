/** From an HTTP request to an ApiRequest: the same data that callers in this process make. */
import type { ApiRequest, ResourcePath, Verb } from '../../schemas/api.ts';
import { badRequest } from '../../schemas/errors.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import { strictDecodingError } from '../../schemas/validate.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { selectedName } from '../verbs/resolve.ts';
import type { ConnectRequest } from '../core.ts';
import { readDeleteOptions } from '../verbs/delete-options.ts';
import { announcesBody, decodeBody, objectFormat, patchFormat, readBody } from './body.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import { managerOf, parseBool, parseOptions } from './query.ts';
import { routeResource, type Route } from './resource-path.ts';

export interface ReadRequest {
  readonly request: ApiRequest;
  readonly kind: AnyKind;
  /** What the body's text had that its value does not show. */
  readonly warnings: readonly string[];
}

/** Subresources of pods that the node's agent serves. */
const streamed = new Set(['log', 'exec', 'attach', 'portforward']);

/** The stream that a request asks for, or undefined when it is none. */
export const streamOf = (path: ResourcePath, verb: Verb, query: URLSearchParams | undefined): ConnectRequest | undefined => {
  if (path.group !== '' || path.resource !== 'pods' || path.subresource === undefined || !streamed.has(path.subresource)) return undefined;
  return { ...path, verb, query: query ?? new URLSearchParams() };
};

const requireVerb = (context: HttpContext, exchange: Pick<Exchange, 'user' | 'query'>, verb: string, path: ResourcePath): void => {
  const { group, resource, subresource, namespace } = path;
  const fieldSelector = exchange.query?.get('fieldSelector') ?? undefined;
  const name = path.name ?? selectedName({ verb: verb as Verb, options: { fieldSelector } });
  requireAccess(context.authorizer, { user: exchange.user, verb, resource: { group, resource, subresource, namespace, name, fieldSelector } });
};

/**
 * The kind and verb of a request. Whoever may not do it is told that and nothing else, before a body is read or a stream
 * opened; plain reads are left to the core, which authorizes everything again.
 */
export const routeRequest = (context: HttpContext, exchange: Pick<Exchange, 'user' | 'query' | 'route'>, method: string, path: ResourcePath): Route => {
  const watch = exchange.query?.get('watch');
  const watches = method === 'GET' && watch !== undefined && watch !== null && parseBool('watch', watch);
  let route: Route;
  try {
    route = routeResource(context.core.registry, method, path, watches);
  } catch (error) {
    requireVerb(context, exchange, method.toLowerCase(), path);
    throw error;
  }
  exchange.route = route;
  if (route.verb !== 'get' && route.verb !== 'list') requireVerb(context, exchange, route.verb, path);
  return route;
};

/** `?watch=true` on one object is a watch of its collection that is narrowed to its name. */
const watchRequest = (path: ResourcePath, options: ApiRequest['options']): ApiRequest => {
  const { name, ...collection } = path;
  if (name === undefined) return { ...collection, verb: 'watch', options };
  const only = `metadata.name=${name}`;
  const fields = options?.fieldSelector;
  return { ...collection, verb: 'watch', options: { ...options, fieldSelector: fields === undefined ? only : `${only},${fields}` } };
};

const writes = new Set<Verb>(['create', 'update', 'patch']);

/** The request with its options and body, decoded. Throws what is wrong with them as an ApiError. */
export const readRequest = async (context: HttpContext, exchange: Pick<Exchange, 'request' | 'query' | 'user'>, path: ResourcePath, { kind, verb }: Route): Promise<ReadRequest> => {
  const options = parseOptions(verb, exchange.query);
  if (verb === 'watch') return { request: watchRequest(path, options), kind, warnings: [] };
  const { headers } = exchange.request;
  const limitBytes = context.limits.bodyBytes;
  if (verb === 'delete' || verb === 'deletecollection') {
    if (!announcesBody(exchange.request)) return { request: { ...path, verb, options }, kind, warnings: [] };
    const format = objectFormat(headers['content-type']);
    const body = await readBody(exchange.request, limitBytes);
    const value = body.length === 0 ? undefined : decodeBody(body, { format, limitBytes, findDuplicates: false }).value;
    return { request: { ...path, verb, options: value === undefined || value === null ? options : { ...options, ...readDeleteOptions(value) } }, kind, warnings: [] };
  }
  if (!writes.has(verb)) return { request: { ...path, verb, options }, kind, warnings: [] };
  const [patchType, format] = verb === 'patch' ? patchFormat(headers['content-type']) : [undefined, objectFormat(headers['content-type'])];
  const body = await readBody(exchange.request, limitBytes);
  if (body.length === 0) throw badRequest(`a ${verb} needs a body`);
  const validation = options.fieldValidation;
  const { value, duplicates } = decodeBody(body, { format, limitBytes, findDuplicates: validation === 'Strict' || validation === 'Warn' });
  const doubled = duplicates.map((field) => `duplicate field ${JSON.stringify(field)}`);
  if (doubled.length > 0 && validation === 'Strict') throw strictDecodingError(kind, doubled);
  // An apply without a manager is refused by the rules; all other writes are known by their program's name.
  const fieldManager = options.fieldManager ?? (patchType === 'apply' ? undefined : managerOf(headers['user-agent']));
  return { request: { ...path, verb, body: value, patchType, options: { ...options, fieldManager } }, kind, warnings: doubled };
};
