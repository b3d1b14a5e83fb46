import type { RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { http } from '../base/node-http.ts';
import { grpcHealth } from './grpc-health.ts';
import type { HttpProbeRequest, PodNetwork } from './runtime/pod-network.ts';

/** A body is read for the message of a failure only. */
const bodyLimitBytes = 10 * 1024;

const httpGet = ({ host, port, path, scheme, headers }: HttpProbeRequest, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const all: Record<string, string> = { 'User-Agent': 'kube-probe/1.32', Accept: '*/*', Connection: 'close' };
    for (const { name, value } of headers) {
      const existing = Object.keys(all).find((key) => key.toLowerCase() === name.toLowerCase());
      all[existing ?? name] = value;
    }
    const options: RequestOptions & { readonly rejectUnauthorized: boolean } = {
      host, port, path: path.startsWith('/') ? path : `/${path}`, headers: all, signal, agent: false,
      // As Kubernetes: a probe asks whether the program answers, not who it is.
      rejectUnauthorized: false,
    };
    const request = (scheme === 'HTTPS' ? httpsRequest : http.request)(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (): void => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).subarray(0, bodyLimitBytes).toString('utf8') });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > bodyLimitBytes) {
          done();
          response.destroy();
        }
      });
      response.on('end', done);
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });

const tcpConnect = (host: string, port: number, signal: AbortSignal): Promise<void> => new Promise((resolve, reject) => {
  const socket = connect({ host, port, signal });
  socket.once('connect', () => {
    socket.destroy();
    resolve();
  });
  socket.once('error', reject);
});

/** The node's own network, by which every pod is reached. */
export const realNetwork: PodNetwork = { httpGet, tcpConnect, grpcHealth };
