/**
 * To which address a request through `proxy` goes: a pod's, a ready endpoint's of a service, or a node's. It follows from
 * the state of the cluster alone; nothing that a client sends is ever looked up as a host name.
 */
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError, badRequest, notFound, type Named } from '../../schemas/errors.ts';
import type { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import type { Surroundings } from '../verbs/call.ts';
import { agentOf } from './connect.ts';
import { whyNoProxyAddress, whyNotOfPod } from './proxy-address.ts';

export type ProxiedResource = 'pods' | 'services' | 'nodes';

/** A request for `.../<resource>/<name>/proxy<path>`. */
export interface ProxyRequest {
  readonly resource: ProxiedResource;
  /** Absent for nodes. */
  readonly namespace?: string | undefined;
  /** As in the URL: `name`, `name:port` or `scheme:name:port`. Roles name it in this form too. */
  readonly name: string;
  readonly method: string;
  /** What follows `/proxy`: empty, or from a slash on, without the query. */
  readonly path: string;
  readonly isUpgrade: boolean;
}

/** `agent` is a node's agent, over TLS with the API server's certificate; the others know nothing of the cluster's. */
export interface ProxyTarget {
  readonly scheme: 'http' | 'https' | 'agent';
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

type State = Pick<Surroundings, 'cache' | 'random'>;
interface Place { readonly scheme: 'http' | 'https'; readonly name: string; readonly port: string }

const verbs: Readonly<Record<string, string>> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

const kinds: Readonly<Record<ProxiedResource, Named>> = {
  pods: { group: '', plural: 'pods', kind: 'Pod' }, services: { group: '', plural: 'services', kind: 'Service' }, nodes: { group: '', plural: 'nodes', kind: 'Node' },
};

/** Takes `scheme:name:port` apart; undefined when it is not of that form. An empty scheme is http, an empty port is left to the object. */
export const splitPlace = (text: string): Place | undefined => {
  const parts = text.split(':');
  const [scheme, name, port] = parts.length === 3 ? parts : ['', parts[0], parts[1] ?? ''];
  if (parts.length > 3 || name === undefined || name === '' || port === undefined) return undefined;
  return scheme === '' || scheme === 'http' || scheme === 'https' ? { scheme: scheme === 'https' ? 'https' : 'http', name, port } : undefined;
};

const unavailable = (message: string): ApiError => new ApiError('ServiceUnavailable', message);
const notAllowed = (why: string): ApiError => badRequest(`address not allowed: ${why}`);

/** Authorizes a proxied request and says where it goes. Throws ApiError. */
export const proxyTarget = (api: State, authorizer: Authorizer, request: ProxyRequest, user: UserInfo): ProxyTarget => {
  const { resource, namespace, name, method } = request;
  const verb = verbs[method] ?? method.toLowerCase();
  requireAccess(authorizer, { user, verb, resource: { group: '', resource, subresource: 'proxy', namespace, name } });
  const place = splitPlace(name);
  if (place === undefined) throw badRequest(`invalid ${kinds[resource].kind.toLowerCase()} request ${JSON.stringify(name)}: write name, name:port or scheme:name:port, where the scheme is http or https`);
  switch (resource) {
    case 'pods': return podTarget(api, namespace ?? '', place);
    case 'services': return serviceTarget(api, namespace ?? '', place);
    case 'nodes': return nodeProxyTarget(api, place, request);
  }
};

const find = ({ cache }: State, resource: ProxiedResource, namespace: string, name: string): unknown => {
  const object = cache.get(`/${resource}/${namespace}/${name}`);
  if (object === undefined) throw notFound(kinds[resource], name);
  return object;
};

const nodeOf = ({ cache }: State, pod: Pod): Node | undefined => cache.get(`/nodes//${pod.spec.nodeName ?? ''}`) as Node | undefined;

const portNumber = (text: string): number | undefined => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
};

/** An address is given to the next pod when the one that had it has ended. */
const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

const addressesOf = ({ status }: Pod): readonly string[] => (status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));

const podTarget = (api: State, namespace: string, { scheme, name, port: wanted }: Place): ProxyTarget => {
  const pod = find(api, 'pods', namespace, name) as Pod;
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const port = wanted === '' ? ports[0]?.containerPort ?? (scheme === 'https' ? 443 : 80) : portNumber(wanted) ?? ports.find((one) => one.name === wanted)?.containerPort;
  if (port === undefined) throw badRequest(`pod ${JSON.stringify(name)} has no port ${JSON.stringify(wanted)}: name one of its ports, or a number from 1 to 65535`);
  const host = pod.status?.podIP ?? '';
  if (host === '' || hasEnded(pod)) throw unavailable(`pod ${JSON.stringify(name)} has no address: it is not running`);
  const why = whyNotOfPod(pod, nodeOf(api, pod), { address: host, port });
  if (why !== undefined) throw notAllowed(why);
  return { scheme, host, port };
};

/** The name that the endpoints have for a port of the service: which one the client means by its number, its name or by nothing. */
const endpointPort = ({ metadata, spec }: Service, wanted: string): string => {
  const ports = spec.ports ?? [];
  const number = portNumber(wanted);
  if (number !== undefined) {
    const found = ports.find(({ port }) => port === number);
    if (found === undefined) throw unavailable(`no service port ${number} found for service ${JSON.stringify(metadata.name)}`);
    return found.name ?? '';
  }
  return wanted === '' && ports.length === 1 ? ports[0]?.name ?? '' : wanted;
};

/** Only pods count, and only with an address that they have themselves: endpoints can be written by hand. */
const serviceTarget = (api: State, namespace: string, { scheme, name, port: wanted }: Place): ProxyTarget => {
  const service = find(api, 'services', namespace, name) as Service;
  const portName = endpointPort(service, wanted);
  const { subsets = [] } = (api.cache.get(`/endpoints/${namespace}/${name}`) ?? {}) as Partial<Endpoints>;
  const found = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.filter((port) => (port.name ?? '') === portName && (port.protocol ?? 'TCP') === 'TCP').flatMap(({ port }) => addresses.map((address) => ({ address, port }))));
  // Which one is tried first is left to chance; looking at a pod is only worth it until one fits.
  const start = Math.floor(api.random() * found.length);
  for (let step = 0; step < found.length; step++) {
    const { address: { ip, targetRef }, port } = found[(start + step) % found.length]!;
    const pod = targetRef?.kind === 'Pod' ? api.cache.get(`/pods/${namespace}/${targetRef.name ?? ''}`) as Pod | undefined : undefined;
    if (pod === undefined || hasEnded(pod) || !addressesOf(pod).includes(ip)) continue;
    if (whyNotOfPod(pod, nodeOf(api, pod), { address: ip, port }) === undefined) return { scheme, host: ip, port };
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
};

/**
 * What of its agent a node's proxy shows: how the node is, to be read. Commands and streams of pods are subresources of
 * pods, with rights of their own; whoever may read a node's figures has not got those by that.
 */
const agentPaths: ReadonlySet<string> = new Set(['/healthz', '/metrics', '/metrics/resource', '/stats/summary', '/pods', '/configz']);

const nodeProxyTarget = (api: State, { scheme, name, port: wanted }: Place, { method, path, isUpgrade }: ProxyRequest): ProxyTarget => {
  const node = find(api, 'nodes', '', name) as Node;
  const port = wanted === '' ? undefined : portNumber(wanted);
  if (wanted !== '' && port === undefined) throw badRequest(`invalid port ${JSON.stringify(wanted)} of node ${JSON.stringify(name)}: a number from 1 to 65535 is needed`);
  const agentPort = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (port === undefined || port === agentPort) {
    if (method !== 'GET' && method !== 'HEAD') throw new ApiError('MethodNotAllowed', 'a node\'s agent can only be read through the proxy');
    if (isUpgrade || !agentPaths.has(path.endsWith('/') ? path.slice(0, -1) : path)) {
      throw new ApiError('Forbidden', `a node's agent shows only ${[...agentPaths].join(', ')} through the proxy; logs, exec, attach and port-forward are subresources of pods`);
    }
    return { scheme: 'agent', ...agentOf(api, name) };
  }
  const host = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (host === undefined) throw unavailable(`node ${JSON.stringify(name)} has not said where it is: it needs an InternalIP address in its status`);
  const why = whyNoProxyAddress(host);
  if (why !== undefined) throw notAllowed(why);
  return { scheme, host, port };
};
