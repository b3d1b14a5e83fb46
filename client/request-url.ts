import type { ApiRequest, RequestOptions, ResourcePath } from '../schemas/api.ts';

const methods = { get: 'GET', list: 'GET', watch: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', deletecollection: 'DELETE' } as const;

const patchTypes = {
  json: 'application/json-patch+json', merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json', apply: 'application/apply-patch+yaml',
} as const;

/** `/apis/apps/v1/namespaces/default/deployments/web/status`, every part escaped. */
export const pathOf = ({ group, version, resource, namespace, name, subresource }: ResourcePath): string => {
  const parts = group === '' ? ['api', version] : ['apis', group, version];
  // A namespace itself is addressed as an object of the whole cluster.
  if (namespace !== undefined && namespace !== '') parts.push('namespaces', namespace);
  parts.push(resource);
  if (name !== undefined && name !== '') parts.push(name);
  if (subresource !== undefined && subresource !== '') parts.push(...subresource.split('/'));
  return `/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
};

const queryNames = [
  'labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch', 'limit', 'continue', 'timeoutSeconds',
  'allowWatchBookmarks', 'sendInitialEvents', 'fieldManager', 'fieldValidation', 'force',
] as const satisfies readonly (keyof RequestOptions)[];

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

/** How a request goes over HTTP. The options of a delete travel in its body, all others in the query. */
export const httpRequestOf = (request: ApiRequest): HttpRequest => {
  const { verb, options = {} } = request;
  const deletes = verb === 'delete' || verb === 'deletecollection';
  const query = new URLSearchParams();
  if (verb === 'watch') query.set('watch', 'true');
  for (const name of queryNames) if (options[name] !== undefined) query.set(name, String(options[name]));
  if (options.dryRun === true && !deletes) query.set('dryRun', 'All');
  const path = query.size === 0 ? pathOf(request) : `${pathOf(request)}?${query}`;
  const method = methods[verb];
  if (deletes) {
    const { gracePeriodSeconds, propagationPolicy, preconditions } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds, propagationPolicy, preconditions, dryRun: options.dryRun === true ? ['All'] : undefined };
    return { method, path, contentType: 'application/json', body: JSON.stringify(body) };
  }
  if (request.body === undefined) return { method, path };
  const contentType = verb === 'patch' ? patchTypes[request.patchType ?? 'merge'] : 'application/json';
  return { method, path, contentType, body: JSON.stringify(request.body) };
};
