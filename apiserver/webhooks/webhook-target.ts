/** Where a webhook is: its own URL, or a ready endpoint of a service, by the state of the cluster. */
import type { Service } from '../../schemas/kinds/core/service.ts';
import type { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import type { ServiceReference, WebhookClientConfig } from '../../schemas/types/admission-rules.ts';
import type { WatchCache } from '../watch/watch-cache.ts';

export interface WebhookTarget {
  /** Where to connect to: a name or an address. */
  readonly host: string;
  readonly port: number;
  /** What the certificate must be for. */
  readonly name: string;
  /** `:8443`, or nothing for the usual port. */
  readonly shownPort: string;
  readonly path: string;
}

type State = Pick<WatchCache, 'get' | 'list'>;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** The target, or why there is none. Of several ready endpoints one is picked by chance. */
export const targetOf = (state: State, { url, service }: WebhookClientConfig, random: () => number): WebhookTarget | string => {
  if (url !== undefined) return ofUrl(url);
  if (service === undefined) return 'the webhook has neither a url nor a service';
  return ofService(state, service, random);
};

const ofUrl = (text: string): WebhookTarget | string => {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') return `${JSON.stringify(text)} is no https URL`;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, name: url.hostname, port: url.port === '' ? 443 : Number(url.port), shownPort: url.port === '' ? '' : `:${url.port}`, path: url.pathname };
};

const ofService = (state: State, { namespace, name, port = 443, path = '/' }: ServiceReference, random: () => number): WebhookTarget | string => {
  const service = state.get(`/services/${namespace}/${name}`) as Service | undefined;
  if (service === undefined) return `service "${name}" not found`;
  const { type, clusterIP, externalName = '', ports = [] } = service.spec;
  const target = { name: `${name}.${namespace}.svc`, shownPort: `:${port}`, path: path.startsWith('/') ? path : `/${path}` };
  if (type === 'ExternalName') return { ...target, host: externalName, port };
  const served = ports.find((one) => one.port === port);
  if (served === undefined) return `no service port ${port} found for service "${name}"`;
  const places = endpointsOf(state, { namespace, name, portName: served.name ?? '' });
  const place = places[Math.floor(random() * places.length)];
  if (place !== undefined) return { ...target, ...place };
  // A service without a selector may have an address that others serve.
  const external = service.spec.selector === undefined && clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None' && !hasEndpoints(state, namespace, name);
  return external ? { ...target, host: clusterIP, port } : `no endpoints available for service "${name}"`;
};

const slicesOf = (state: State, namespace: string, name: string): readonly EndpointSlice[] =>
  (state.list(`discovery.k8s.io/endpointslices/${namespace}/`) as readonly EndpointSlice[]).filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);

const hasEndpoints = (state: State, namespace: string, name: string): boolean =>
  slicesOf(state, namespace, name).length > 0 || state.get(`/endpoints/${namespace}/${name}`) !== undefined;

/** Addresses and ports of the endpoints that are ready: of the slices, or of the Endpoints where there are no slices. */
const endpointsOf = (state: State, { namespace, name, portName }: { readonly namespace: string; readonly name: string; readonly portName: string }): readonly Place[] => {
  const slices = slicesOf(state, namespace, name);
  if (slices.length > 0) return slices.flatMap((slice) => ofSlice(slice, portName));
  const { subsets = [] } = (state.get(`/endpoints/${namespace}/${name}`) as Endpoints | undefined) ?? {};
  return subsets.flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find((one) => (one.name ?? '') === portName)?.port;
    return port === undefined ? [] : addresses.map(({ ip }) => ({ host: ip, port }));
  });
};

const ofSlice = ({ endpoints = [], ports = [] }: EndpointSlice, portName: string): readonly Place[] => {
  const port = ports.find((one) => (one.name ?? '') === portName)?.port;
  if (port === undefined) return [];
  return endpoints.filter(({ conditions }) => conditions?.ready !== false).flatMap(({ addresses }) => (addresses[0] === undefined ? [] : [{ host: addresses[0], port }]));
};
