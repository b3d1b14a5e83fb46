/** Streams and proxied requests are asked about as connections: CONNECT to a subresource, with their options as the object. */
import type { UserInfo } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import type { ConnectRequest } from './connect.ts';
import type { ProxiedResource, ProxyRequest } from './proxy.ts';

interface Connection {
  readonly resource: ProxiedResource;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const streamKinds: Readonly<Record<string, string>> = { exec: 'PodExecOptions', attach: 'PodAttachOptions', portforward: 'PodPortForwardOptions' };
const proxyKinds: Readonly<Record<ProxiedResource, string>> = { pods: 'PodProxyOptions', services: 'ServiceProxyOptions', nodes: 'NodeProxyOptions' };

const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

const streamOptions = (query: URLSearchParams): Readonly<Record<string, unknown>> => {
  const flags = ['stdin', 'stdout', 'stderr', 'tty'].filter((name) => truths.has(query.get(name) ?? ''));
  const container = query.get('container') ?? '';
  const [command, ports] = [query.getAll('command'), query.getAll('ports').flatMap((list) => list.split(',')).map(Number)];
  return {
    ...Object.fromEntries(flags.map((name) => [name, true])), ...(container === '' ? {} : { container }),
    ...(command.length === 0 ? {} : { command }), ...(ports.length === 0 ? {} : { ports }),
  };
};

const permit = async (api: Surroundings, { resource, subresource, namespace, name, kind, options }: Connection, user: UserInfo): Promise<void> => {
  const connected = api.registry.resource('', 'v1', resource);
  if (connected === undefined) return;
  const call: Call = {
    request: { verb: 'create', group: '', version: 'v1', resource, namespace, name, subresource }, user, kind: connected, namespace, name, options: {}, warnings: new Set(), signal: undefined,
  };
  const object = { kind, apiVersion: 'v1', ...options } as unknown as ApiObject;
  await api.dynamic.review(call, { operation: 'CONNECT', object, old: undefined, body: { group: '', version: 'v1', kind } })?.permit(object);
};

/** Throws ApiError where somebody is against an exec, attach or port-forward. Logs are reads. */
export const permitStream = async (api: Surroundings, { subresource = '', namespace = '', name = '', query }: ConnectRequest, user: UserInfo): Promise<void> => {
  const kind = streamKinds[subresource];
  if (kind !== undefined) await permit(api, { resource: 'pods', subresource, namespace, name, kind, options: streamOptions(query) }, user);
};

/** Throws ApiError where somebody is against a request through a proxy. */
export const permitProxy = (api: Surroundings, { resource, namespace = '', name, path }: ProxyRequest, user: UserInfo): Promise<void> =>
  permit(api, { resource, subresource: 'proxy', namespace, name, kind: proxyKinds[resource], options: path === '' ? {} : { path } }, user);
