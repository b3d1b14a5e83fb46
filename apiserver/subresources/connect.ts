/**
 * Logs, exec, attach and port-forward are served by the agent of the pod's node. The API server only decides who may
 * have them, checks that the pod can give them, and says where the agent is; the HTTP rim then passes bytes through.
 */
import type { ApiRequest, UserInfo } from '../../schemas/api.ts';
import { ApiError, badRequest, invalid, notFound, required, wrong, type FieldError } from '../../schemas/errors.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Surroundings } from '../verbs/call.ts';
import { existing } from '../verbs/get.ts';
import { callFor, noSuchResource } from '../verbs/resolve.ts';
import { containerFor, whyNoLogs } from './pod-containers.ts';
import { whyNoAgentAddress } from './proxy-address.ts';

/** A request for a stream of a pod: subresource log, exec, attach or portforward, verb `get` (GET) or `create` (POST). */
export interface ConnectRequest extends ApiRequest {
  /** The query as it came: container, command, stdin, follow, tailLines, ports, ... */
  readonly query: URLSearchParams;
}

/** The node agent's HTTPS server and what to ask it for. */
export interface NodeTarget {
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
}

type Stream = 'log' | 'exec' | 'attach' | 'portforward';

const agentPaths: Readonly<Record<Stream, string>> = { log: 'containerLogs', exec: 'exec', attach: 'attach', portforward: 'portForward' };

const isStream = (name: string | undefined): name is Stream => name !== undefined && Object.hasOwn(agentPaths, name);

/** Parameters that are passed on to the agent; the rest is between the client and the API server. */
const passedOn: Readonly<Record<Stream, ReadonlySet<string>>> = {
  log: new Set(['follow', 'previous', 'tailLines', 'sinceSeconds', 'sinceTime', 'timestamps', 'limitBytes', 'stream']),
  exec: new Set(['command', 'stdin', 'stdout', 'stderr', 'tty']),
  attach: new Set(['stdin', 'stdout', 'stderr', 'tty']),
  portforward: new Set(['ports', 'port']),
};

const flags: ReadonlySet<string> = new Set(['follow', 'previous', 'timestamps', 'stdin', 'stdout', 'stderr', 'tty']);

/** Authorizes and checks a stream request, and finds the agent that serves it. Throws ApiError. */
export const nodeTarget = (api: Surroundings, authorizer: Authorizer, request: ConnectRequest, user: UserInfo): NodeTarget => {
  const { subresource, query } = request;
  const call = callFor(api, authorizer, { request, user, signal: undefined });
  if (call.kind.group !== '' || call.kind.plural !== 'pods' || !isStream(subresource)) throw noSuchResource();
  const pod = existing(api, call) as Pod;
  const clean = readQuery(query, subresource);
  const errors = subresource === 'log' ? wrongLogOptions(clean) : wrongStreamOptions(subresource, clean);
  if (errors.length > 0) throw invalid({ group: '', kind: subresource === 'log' ? 'PodLogOptions' : 'PodExecOptions' }, call.name, errors);

  let place = `${encodeURIComponent(call.namespace)}/${encodeURIComponent(call.name)}`;
  if (subresource !== 'portforward') {
    const container = containerFor(pod, query.get('container') ?? '');
    assertAssigned(pod);
    if (subresource === 'log') {
      const why = whyNoLogs(pod, container, clean.get('previous') === 'true');
      if (why !== undefined) throw badRequest(why);
    }
    place += `/${encodeURIComponent(container)}`;
  }
  const text = clean.toString();
  assertAssigned(pod);
  return { ...agentOf(api, pod.spec.nodeName ?? ''), path: `/${agentPaths[subresource]}/${place}${text === '' ? '' : `?${text}`}` };
};

const truth = new Map([...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const), ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const)]);

/** The parameters that the agent needs, flags written as `true` or left out. */
const readQuery = (query: URLSearchParams, stream: Stream): URLSearchParams => {
  const clean = new URLSearchParams();
  for (const [name, value] of query) {
    if (!passedOn[stream].has(name)) continue;
    if (!flags.has(name)) {
      if (value !== '' || name === 'command') clean.append(name, value);
      continue;
    }
    const is = truth.get(value);
    if (is === undefined) throw badRequest(`${name}: Invalid value: ${JSON.stringify(value)}: must be true or false`);
    if (is) clean.set(name, 'true');
  }
  return clean;
};

const wholeNumber = (query: URLSearchParams, name: string, least: number): readonly FieldError[] => {
  const value = query.get(name);
  if (value === null || (/^[0-9]{1,15}$/.test(value) && Number(value) >= least)) return [];
  return [wrong(name, value, `must be a whole number greater than or equal to ${least}`)];
};

const wrongLogOptions = (query: URLSearchParams): readonly FieldError[] => {
  const sinceTime = query.get('sinceTime');
  return [
    ...wholeNumber(query, 'tailLines', 0), ...wholeNumber(query, 'limitBytes', 1), ...wholeNumber(query, 'sinceSeconds', 1),
    ...(sinceTime !== null && Number.isNaN(Date.parse(sinceTime)) ? [wrong('sinceTime', sinceTime, 'must be a time such as 2026-01-31T12:00:00Z')] : []),
    ...(sinceTime !== null && query.has('sinceSeconds') ? [wrong('sinceTime', sinceTime, 'at most one of `sinceTime` or `sinceSeconds` may be specified')] : []),
  ];
};

const wrongStreamOptions = (stream: Stream, query: URLSearchParams): readonly FieldError[] => {
  if (stream === 'portforward') {
    return query.getAll('ports').flatMap((list) => list.split(',')).filter((port) => !/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
      .map((port) => wrong('ports', port, 'must be between 1 and 65535, inclusive'));
  }
  return [
    ...(stream === 'exec' && !query.has('command') ? [required('command', 'the command to run')] : []),
    ...(['stdin', 'stdout', 'stderr'].some((name) => query.has(name)) ? [] : [required('stdin', 'at least one of stdin, stdout, stderr')]),
  ];
};

const assertAssigned = ({ metadata, spec }: Pod): void => {
  if ((spec.nodeName ?? '') === '') throw badRequest(`pod ${metadata.name} does not have a host assigned`);
};

/** Where the agent of a node listens. Throws NotFound where there is no such node, and ServiceUnavailable where it has not said that. */
export const agentOf = ({ cache }: Pick<Surroundings, 'cache'>, name: string): { readonly host: string; readonly port: number } => {
  const node = cache.get(`/nodes//${name}`) as Node | undefined;
  if (node === undefined) throw notFound({ group: '', plural: 'nodes', kind: 'Node' }, name);
  const host = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  if (host === undefined || port === 0) throw new ApiError('ServiceUnavailable', `the agent of node ${JSON.stringify(name)} has not said where it is: it needs an InternalIP address and a kubelet endpoint in its status`);
  const why = whyNoAgentAddress(host);
  if (why !== undefined) throw new ApiError('ServiceUnavailable', `the agent of node ${JSON.stringify(name)} cannot be where its status says: ${why}`);
  return { host, port };
};
