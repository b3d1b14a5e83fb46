import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { load } from 'js-yaml';

export interface RawAnswer { readonly code: number; readonly type: string; readonly body: string; readonly headers: Readonly<Record<string, unknown>> }

export interface RawOptions {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Shows no client certificate. */
  readonly anonymous?: boolean;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } }[];
}

/** Plain HTTPS requests with the identity of a kubeconfig: what no well-behaved client would send. */
export const rawApi = async (kubeconfig: string): Promise<(path: string, options?: RawOptions) => Promise<RawAnswer>> => {
  const config = load(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const { cluster } = config.clusters[0]!;
  const { user } = config.users[0]!;
  const pem = (data: string): Buffer => Buffer.from(data, 'base64');
  return (path, options = {}) =>
    new Promise((resolve, reject) => {
      const call = request(new URL(path, cluster.server), {
        agent: false, method: options.method ?? (options.body === undefined ? 'GET' : 'POST'), ca: pem(cluster['certificate-authority-data']),
        ...(options.anonymous === true ? {} : { cert: pem(user['client-certificate-data']), key: pem(user['client-key-data']) }),
        headers: { ...(options.type === undefined ? {} : { 'content-type': options.type }), ...options.headers },
      }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part: string) => { body += part; });
        response.on('end', () => resolve({ code: response.statusCode!, type: response.headers['content-type'] ?? '', body, headers: response.headers }));
        response.on('error', reject);
      });
      call.on('error', reject);
      call.end(options.body);
    });
};
