import { sleep } from '../base/clock.ts';
import type { Component, Surroundings } from '../base/component.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informers.ts';
import { EndpointSlice } from '../schemas/kinds/discovery/endpoint-slice.ts';
import { Namespace } from '../schemas/kinds/core/namespace.ts';
import { Service } from '../schemas/kinds/core/service.ts';
import { clusterIps } from './cluster-ips.ts';
import type { DnsView } from './dns.ts';
import { DnsServer } from './dns-server.ts';
import { serviceNameLabel } from './table.ts';

export interface DnsComponentOptions {
  /** Where to listen; asked for when the services are known. It may wait for the pods' bridge. */
  readonly listen: () => Promise<{ readonly host: string; readonly port: number }>;
  readonly domain: string;
  /** Servers for all other names: `10.0.0.1` or `10.0.0.1:5353`. `upstreamsOf` reads them from a resolv.conf. */
  readonly upstreams: readonly string[];
  /** Networks whose clients may ask for names outside the cluster; loopback and private networks where absent. */
  readonly clients?: readonly string[] | undefined;
}

const retryMs = 1_000;

/** The cluster's DNS: answers from services and endpoint slices as they change. */
export const createDnsComponent = (surroundings: Surroundings, options: DnsComponentOptions): Component => {
  const { clock, log } = surroundings;
  const informers = createInformers({ client: createClient(surroundings.transport), clock, log, random: surroundings.random });
  const services = informers.informer(Service, { indexes: { ip: clusterIps } });
  const slices = informers.informer(EndpointSlice, { indexes: {
    service: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[serviceNameLabel] ?? ''}`],
    ip: ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses),
  } });
  const namespaces = informers.informer(Namespace);
  const view: DnsView = {
    service: (namespace, name) => services.get({ namespace, name }),
    slices: (namespace, service) => slices.by('service', `${namespace}/${service}`),
    hasNamespace: (name) => namespaces.get({ name }) !== undefined,
    serviceByIp: (ip) => services.by('ip', ip)[0],
    slicesByIp: (ip) => slices.by('ip', ip),
  };
  return {
    name: 'dns', after: [],
    run: async (signal, ready) => {
      const running = informers.run(signal);
      try {
        await informers.whenSynced(signal);
        let told: string | undefined;
        while (!signal.aborted) {
          const { host, port } = await untilAborted(options.listen(), signal);
          const server = new DnsServer({ view, domain: options.domain.toLowerCase(), upstreams: options.upstreams.filter((one) => one !== host), clients: options.clients, clock, log });
          try {
            const bound = await server.listen({ host, port });
            log.info('answering names of the cluster', { domain: options.domain, address: `${host}:${bound.port}` });
            ready();
            await aborted(signal);
          } catch (error) {
            const why = whyNotListening(error, port);
            // Trying goes on, for the bridge or the port may come; the same words every second would help nobody.
            if (why !== told) log.error('cannot listen for DNS, so pods cannot look up names; trying again', { address: `${host}:${port}`, why });
            told = why;
            await sleep(clock, retryMs, signal);
          } finally {
            await server.close();
          }
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      await running;
    },
  };
};

/** Ports below this are root's on most systems. */
const privilegedBelow = 1024;

const whyNotListening = (error: unknown, port: number): string => {
  const why = error instanceof Error ? error.message : String(error);
  return (error as NodeJS.ErrnoException).code === 'EACCES' && port < privilegedBelow
    ? `${why} (this needs root, or: sysctl net.ipv4.ip_unprivileged_port_start=${port})` : why;
};

const aborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => {
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
});

const untilAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => Promise.race([work, aborted(signal).then(() => {
  throw new Error('stopped');
})]);
