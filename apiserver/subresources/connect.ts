/**
 * Logs, exec, attach and port-forward are served by the agent of the pod's node. The API server only decides who may
 * have them, checks that the pod can give them, and says where the agent is; the HTTP rim then passes bytes through.
 */
import type { UserInfo } from '../../schemas/api.ts';
import { badRequest } from '../../schemas/errors.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Surroundings } from '../verbs/call.ts';

export interface ConnectRequest {
  readonly namespace: string;
  /** The pod. */
  readonly name: string;
  readonly subresource: 'log' | 'exec' | 'attach' | 'portforward';
  /** `get` for GET (log, WebSocket), `create` for POST (SPDY); the user must be allowed that verb. */
  readonly verb: 'get' | 'create';
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

export const nodeTarget = (_api: Surroundings, _authorizer: Authorizer, _request: ConnectRequest, _user: UserInfo): NodeTarget => {
  throw badRequest('not served');
};
