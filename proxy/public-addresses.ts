import type { Service, ServicePort } from '../schemas/kinds/core/service.ts';
import type { Guard } from './backend.ts';
import { clusterIps, isIpv4 } from './cluster-ips.ts';

/** Addresses beyond the service network at which a service port takes traffic. */
export interface PublicAddresses {
  readonly ips: readonly string[];
  readonly guard: Guard | undefined;
}

const none: PublicAddresses = { ips: [], guard: undefined };

/** `namespace/service:port-name`. */
export const servicePortName = ({ metadata }: Service, { name = '' }: ServicePort): string => `${metadata.namespace}/${metadata.name}:${name}`;

/** Whether what users write into `spec.externalIPs` is served; whoever may write a service can take any address by it. */
export type ExternalIps = 'served' | 'ignored';

/**
 * Which public addresses each service port has. Where several ask for one address, protocol and port, a load balancer's
 * goes before an external one, and among equals the oldest service has it, so that a newcomer takes nothing away; nobody
 * has the address of a service in the cluster.
 */
export const publicAddresses = (services: readonly Service[], externalIps: ExternalIps): ((service: Service, port: ServicePort) => PublicAddresses) => {
  const sources = externalIps === 'served' ? [balancerIpsOf, externalIpsOf] : [balancerIpsOf];
  const asking = services.filter((service) => sources.some((ipsOf) => ipsOf(service).length > 0)).sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1));
  if (asking.length === 0) return () => none;
  const taken = new Set<string>();
  const inside = new Set(services.flatMap(clusterIps));
  const granted = new Map<string, PublicAddresses>();
  for (const ipsOf of sources) {
    for (const service of asking) {
      const wanted = ipsOf(service).filter((ip) => !inside.has(ip));
      for (const port of service.spec.ports ?? []) {
        const name = servicePortName(service, port);
        const claim = (ip: string): string => `${ip} ${port.protocol ?? 'TCP'} ${port.port}`;
        const ips = wanted.filter((ip) => !taken.has(claim(ip)));
        for (const ip of ips) taken.add(claim(ip));
        const before = granted.get(name) ?? none;
        granted.set(name, { ips: [...before.ips, ...ips], guard: ipsOf === balancerIpsOf ? guardOf(service, ips) : before.guard });
      }
    }
  }
  return (service, port) => granted.get(servicePortName(service, port)) ?? none;
};

/** Whoever balances wrote them into the status; one of mode Proxy wants to see traffic of the cluster too. Each once. */
const balancerIpsOf = ({ spec, status }: Service): readonly string[] => (spec.type !== 'LoadBalancer' ? [] : [...new Set((status?.loadBalancer?.ingress ?? [])
  .flatMap(({ ip = '', ipMode = 'VIP' }) => (isIpv4(ip) && ipMode === 'VIP' ? [ip] : [])))]);

const externalIpsOf = ({ spec }: Service): readonly string[] => [...new Set((spec.externalIPs ?? []).filter(isIpv4))];

const rankOf = ({ metadata }: Service): string => `${metadata.creationTimestamp ?? ''} ${metadata.namespace}/${metadata.name}`;

/** Ranges of IPv6 alone let nobody in. */
const guardOf = ({ spec }: Service, ips: readonly string[]): Guard | undefined => {
  const ranges = (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
  return ranges.length === 0 || ips.length === 0 ? undefined : { ips, ranges: ranges.filter((range) => !range.includes(':')) };
};
