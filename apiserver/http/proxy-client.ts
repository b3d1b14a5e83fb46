import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import { connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { http } from '../../base/node-http.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { ProxyTarget } from '../core.ts';
import type { NodeClient } from './node-client.ts';

/** Opens a TCP connection to an IP address. */
export type Dial = (at: { readonly host: string; readonly port: number }) => Socket;

export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

/** Opens requests to what is behind a proxy. The caller listens for `response`, `upgrade` and `error`, and ends the request. */
export interface ProxyClient {
  request(target: ProxyTarget, request: ProxiedRequest): ClientRequest;
}

const connectMs = 10_000;
const answerHeaderBytes = 64 * 1024;

/** What the client is told when what is behind a proxy cannot be reached or breaks off. */
export const unreachable = (error: Error): ApiError => new ApiError('ServiceUnavailable', `error trying to reach service: ${error.message}`, undefined, { cause: error });

/**
 * A client of its own connection for each request. It follows no redirects, keeps no cookies and looks up no names. Pods
 * sign their certificates themselves, so that no name in them is checked, as in Kubernetes; ours is shown to agents alone.
 */
export const createProxyClient = ({ nodes, clock, dial = netConnect }: { readonly nodes: NodeClient; readonly clock: Clock; readonly dial?: Dial | undefined }): ProxyClient => ({
  request: (target, { method, path, headers }) => {
    const { scheme, host, port } = target;
    if (scheme === 'agent') return nodes.request({ host, port, path }, method, { Accept: headers['accept'] ?? '*/*' });
    const request = http.request({
      host, port, path, method, headers, setHost: headers['host'] === undefined, maxHeaderSize: answerHeaderBytes,
      // Given without an agent, this is what opens the connection; beside one, Node would leave it out.
      createConnection: () => {
        const socket = dial({ host, port });
        socket.setNoDelay(true);
        socket.setKeepAlive(true, 30_000);
        return scheme === 'http' ? socket : tlsConnect({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
      },
    });
    const cancel = clock.after(connectMs, () => request.destroy(new Error(`no answer from ${host}:${port} within ${connectMs / 1_000} s`)));
    request.once('socket', (carrier) => carrier.once(scheme === 'http' ? 'connect' : 'secureConnect', cancel));
    request.once('close', cancel);
    return request;
  },
});
