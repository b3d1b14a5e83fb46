import type { ApiRequest, UserInfo } from '../../schemas/api.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import { parseFieldRequirements } from '../../schemas/field-selector.ts';
import { serves, storageKindOf } from '../../schemas/kind.ts';
import type { Annotate } from '../audit/auditor.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import type { Call, Surroundings } from './call.ts';
import { notAllowed } from './update.ts';

export const noSuchResource = (): ApiError => new ApiError('NotFound', 'the server could not find the requested resource');

const collectionVerbs: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);

/** A name that the request's field selector fixes: whoever may watch one object may do so through a selector. */
export const selectedName = ({ verb, options }: Pick<ApiRequest, 'verb' | 'options'>): string | undefined => {
  if (!collectionVerbs.has(verb) || options?.fieldSelector === undefined) return undefined;
  try {
    return parseFieldRequirements(options.fieldSelector).find(({ path, equal }) => equal && path === 'metadata.name')?.value || undefined;
  } catch {
    return undefined;
  }
};

/** Authorizes the request and finds what it is about. Throws Forbidden, NotFound or BadRequest. */
export const callFor = (
  { registry }: Pick<Surroundings, 'registry'>, authorizer: Authorizer,
  { request, user, signal, audit }: { readonly request: ApiRequest; readonly user: UserInfo; readonly signal: AbortSignal | undefined; readonly audit?: Annotate | undefined },
): Call => {
  const { verb, group, version, resource, subresource, options = {} } = request;
  const namespace = request.namespace || undefined;
  const name = request.name || undefined;
  requireAccess(authorizer, { user, verb, resource: { group, resource, subresource: subresource || undefined, namespace, name: name ?? selectedName(request), fieldSelector: options.fieldSelector } });

  const served = registry.resource(group, version, resource);
  if (served === undefined) throw noSuchResource();
  if ((subresource ?? '') === '' && !serves(served, verb)) throw notAllowed({ kind: served });
  const kind = storageKindOf(served);
  if (kind.scope === 'Cluster' && namespace !== undefined) throw noSuchResource();
  if (collectionVerbs.has(verb)) {
    if (name !== undefined || (subresource ?? '') !== '') throw badRequest(`${verb} is for collections; use a fieldSelector of metadata.name for one object`);
    if (verb === 'deletecollection' && kind.scope === 'Namespaced' && namespace === undefined) throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource', { kind: kind.plural });
    if (options.limit !== undefined && (!Number.isSafeInteger(options.limit) || options.limit < 0)) throw badRequest(`limit: Invalid value: ${String(options.limit)}: must be a whole number that is not negative`);
  } else if (name === undefined && (verb !== 'create' || (subresource ?? '') !== '')) {
    throw badRequest('resource name may not be empty');
  } else if (kind.scope === 'Namespaced' && namespace === undefined && verb !== 'create') {
    throw badRequest('an empty namespace may not be set when a resource name is provided');
  }
  return { request, user, kind, ...(kind === served ? {} : { served }), namespace: namespace ?? '', name: name ?? '', options, warnings: new Set(served.deprecation === undefined ? undefined : [served.deprecation]), signal, audit };
};
