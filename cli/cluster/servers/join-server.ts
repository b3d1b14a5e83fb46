/** How a machine becomes a further server of a cluster: it asks a server that it knows for what that takes a token, or a mark on its node. */
import { connect } from 'node:net';
import { certificatesIn } from '../../../base/authorities.ts';
import type { HttpTransport } from '../../../client/http-transport.ts';
import type { ApiObject } from '../../../schemas/kind.ts';
import { serverMaterialPath } from '../../../schemas/cluster-info.ts';
import { serversGroup } from '../../../apiserver/authorization/default-roles.ts';
import { CommandError } from '../../command.ts';
import { authorityHash } from '../join/join-token.ts';
import { materialOf, type ServerMaterial } from './server-material.ts';

const reachMs = 5_000;

/** Whether the token that the requests carry is one for servers. */
export const isForServers = async (transport: Pick<HttpTransport, 'send'>, signal: AbortSignal): Promise<boolean> => {
  const { body } = await transport.send({ group: 'authentication.k8s.io', version: 'v1', resource: 'selfsubjectreviews', verb: 'create', body: {} }, signal);
  const { groups = [] } = ((body as ApiObject & { readonly status?: { readonly userInfo?: { readonly groups?: readonly string[] } } }).status?.userInfo ?? {});
  return groups.includes(serversGroup);
};

const reaches = (endpoint: string, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => {
  const { hostname, port, protocol } = new URL(endpoint);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)), signal });
  const end = (reached: boolean) => (): void => {
    socket.destroy();
    resolve(reached);
  };
  socket.setTimeout(reachMs, end(false));
  socket.once('connect', end(true));
  socket.once('error', end(false));
});

/**
 * Gets what a server needs and looks whether it can be one here: the authority's key must be that of the authority by which the
 * server is known (PEM), and etcd must be in reach. Rejects with ApiError for what the server refuses, with CommandError for the rest.
 */
export const fetchMaterial = async (transport: Pick<HttpTransport, 'raw'>, { nodeName, ca }: { readonly nodeName: string; readonly ca: string }, signal: AbortSignal): Promise<ServerMaterial> => {
  const { body } = await transport.raw({ method: 'POST', path: serverMaterialPath, contentType: 'application/json', body: JSON.stringify({ nodeName }) }, signal);
  let material: ServerMaterial;
  try {
    material = materialOf(JSON.parse(body.toString('utf8')));
    const [given, known] = [authorityHash(material.authority.cert), certificatesIn(ca).map((one) => authorityHash(one))];
    if (!known.includes(given)) throw new Error(`what the server gave is the key of the authority ${given}, and the cluster's is ${known.join(', ')}`);
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error });
  }
  const endpoints = String(material.settings['etcd-servers'] ?? '').split(',').map((one) => one.trim()).filter((one) => one !== '');
  const reached = await Promise.all(endpoints.map((endpoint) => reaches(endpoint, signal)));
  signal.throwIfAborted();
  if (!reached.includes(true)) throw new CommandError(`this machine does not reach the etcd in which the cluster keeps its objects: ${endpoints.join(', ')}; it must, at the addresses that the first server was started with (--etcd-servers)`);
  return material;
};
