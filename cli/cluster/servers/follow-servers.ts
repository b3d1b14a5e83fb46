import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Component, Surroundings } from '../../../base/component.ts';
import { writePrivate } from '../../../base/pki-files.ts';
import { createClient } from '../../../client/client.ts';
import { createInformers } from '../../../client/informers.ts';
import { createHttpTransport } from '../../../client/http-transport.ts';
import type { ServerOptions } from '../../../client/http-connection.ts';
import type { ServerAddress, ServerChoice } from '../../../client/server-choice.ts';
import { EndpointSlice } from '../../../schemas/kinds/discovery/endpoint-slice.ts';
import { Spreading, type SpreadingOptions } from './spreading.ts';

/**
 * A name that certificates of API servers have and no other. By its address a server would be known as well, but a node has
 * a certificate for the node's own, and somebody could say that there is a server.
 */
const serverName = 'kubernetes.default.svc';

const addressOf = (host: string): ServerAddress => ({ url: `https://${host}`, tlsServerName: serverName });

/** The servers that a file notes; none where it is not there or cannot be read: the one that the user named is enough to begin with. */
export const readServers = async (file: string): Promise<readonly ServerAddress[]> => {
  try {
    const hosts: unknown = JSON.parse(await readFile(file, 'utf8'));
    return Array.isArray(hosts) ? hosts.filter((host): host is string => typeof host === 'string' && URL.canParse(`https://${host}`)).map(addressOf) : [];
  } catch {
    return [];
  }
};

const probeTimeoutMs = 5_000;

/** Asks a server itself whether it is ready, as who the client is by then. */
export const probeAs = (identity: () => Omit<ServerOptions, 'server' | 'servers'>): SpreadingOptions['probe'] => async ({ url, tlsServerName }, signal) => {
  const transport = createHttpTransport({ ...identity(), server: url, tlsServerName, timeoutMs: probeTimeoutMs });
  try {
    await transport.raw({ method: 'GET', path: '/readyz' }, signal);
    return true;
  } finally {
    transport.close();
  }
};

const hostsOf = (slices: readonly EndpointSlice[]): readonly string[] => [...new Set(slices.flatMap(({ ports, endpoints }) =>
  (ports ?? []).flatMap(({ port }) => (port === undefined ? [] : (endpoints ?? []).flatMap(({ addresses }) => addresses.map((address) => `${address.includes(':') ? `[${address}]` : address}:${port}`))))))].sort();

export interface FollowServersOptions {
  readonly servers: ServerChoice;
  /** Where they are noted for the next start; undefined for nowhere. */
  readonly file: string | undefined;
  readonly probe: SpreadingOptions['probe'];
}

/** Takes the servers of the cluster from the endpoints of default/kubernetes, which name those that are alive. */
export const followServers = ({ transport, clock, random, log }: Surroundings, { servers, file, probe }: FollowServersOptions): Component => ({
  name: 'servers', after: [],
  run: async (signal, ready) => {
    ready();
    const informers = createInformers({ client: createClient(transport), clock, random, log });
    const slices = informers.informer(EndpointSlice, { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' });
    const spreading = new Spreading({ clock, random, log }, { servers, probe }, signal);
    let noted = '';
    let writing = Promise.resolve();
    const take = (): void => {
      const hosts = hostsOf(slices.list());
      const text = `${JSON.stringify(hosts)}\n`;
      if (!slices.synced || hosts.length === 0 || text === noted) return;
      noted = text;
      const now = hosts.map(addressOf);
      servers.know(now);
      spreading.listed(now);
      if (file === undefined) return;
      writing = writing.then(async () => {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await writePrivate(file, text);
      }).catch((error: unknown) => log.warn('the servers of the cluster could not be noted', { file, error }));
    };
    const stay = servers.onMoved((why, before) => {
      if (why !== 'lost') return;
      log.warn('the server did not answer, going on at another one', { server: servers.current.url });
      spreading.left(before);
    });
    const off = slices.on({ added: take, updated: take, deleted: take });
    informers.whenSynced(signal).then(take, () => undefined);
    await informers.run(signal);
    off();
    stay();
    await writing;
  },
});
