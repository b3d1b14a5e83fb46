/**
 * What the cluster's names stand for, as the DNS-based service discovery of Kubernetes specifies it. Pure: a question and
 * a view of services and slices give an answer, or undefined for a name that is not the cluster's.
 *
 * A name that exists without records of the type asked for is answered with no records (NODATA), one that does not exist
 * with NXDOMAIN; both carry the SOA, so that resolvers know how long that holds. The difference matters: a resolver gives
 * up its search list at some and goes on at others.
 */
import type { EndpointSlice } from '../schemas/kinds/discovery/endpoint-slice.ts';
import type { Service } from '../schemas/kinds/core/service.ts';
import { clusterIps, isIpv4 } from './cluster-ips.ts';
import { rcodes, types, type Question, type ResourceRecord, type Response } from './dns-message.ts';

export interface DnsView {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  hasNamespace(name: string): boolean;
  serviceByIp(ip: string): Service | undefined;
  /** Slices that have an endpoint with this address. */
  slicesByIp(ip: string): readonly EndpointSlice[];
}

export interface DnsAnswer extends Response {
  /** A name outside the cluster whose records of the question's type belong behind the answers (ExternalName). */
  readonly follow?: string | undefined;
}

/** Seconds for which clients may keep an answer; services change, so it is short. As in Kubernetes' own default. */
const ttlSeconds = 5;
const longestChain = 8;

interface Host { readonly hostname: string; readonly ip: string }

/** The answer, or undefined when the name is not the cluster's and other servers know it. */
export const answer = (question: Question, domain: string, view: DnsView): DnsAnswer | undefined => {
  const name = question.name.toLowerCase();
  if (name === domain || name.endsWith(`.${domain}`)) return new Zone(question, domain, view).answer(name);
  if (name.endsWith('.in-addr.arpa')) return reverse(question, name, domain, view);
  return undefined;
};

export const refusal = (rcode: number): DnsAnswer => ({ rcode, authoritative: false, answers: [], authority: [], additional: [] });

const soa = (domain: string): ResourceRecord => ({
  name: domain, ttlSeconds, type: 'SOA', primary: `ns.dns.${domain}`, mailbox: `hostmaster.${domain}`,
  serial: 1, refreshSeconds: 7_200, retrySeconds: 1_800, expireSeconds: 86_400, minimumSeconds: ttlSeconds,
});

const found = (answers: readonly ResourceRecord[], additional: readonly ResourceRecord[] = []): DnsAnswer =>
  ({ rcode: rcodes.NOERROR, authoritative: true, answers, authority: [], additional });

class Zone {
  readonly #question: Question;
  readonly #domain: string;
  readonly #view: DnsView;

  constructor(question: Question, domain: string, view: DnsView) {
    this.#question = question;
    this.#domain = domain;
    this.#view = view;
  }

  answer(name: string, chain = 0): DnsAnswer {
    const labels = name === this.#domain ? [] : name.slice(0, -this.#domain.length - 1).split('.');
    const kind = labels.pop();
    if (kind === undefined) return this.#is(types.SOA) ? found([soa(this.#domain)]) : this.#noData();
    const namespace = labels.pop();
    if (kind === 'pod') return this.#pod(namespace, labels, name);
    if (kind !== 'svc') return this.#none();
    if (namespace === undefined) return this.#noData();
    const serviceName = labels.pop();
    if (serviceName === undefined) return this.#view.hasNamespace(namespace) ? this.#noData() : this.#none();
    const service = this.#view.service(namespace, serviceName);
    if (service === undefined) return this.#none();
    if (service.spec?.type === 'ExternalName') return labels.length === 0 ? this.#external(service, name, chain) : this.#none();
    if (labels.length === 0) return this.#addresses(name, this.#serviceIps(service));
    if (labels.length === 2 && labels.every((label) => label.startsWith('_'))) return this.#srv(service, name, labels[0]!.slice(1), labels[1]!.slice(1));
    if (labels.length > 1) return this.#none();
    return this.#member(service, name, labels[0]!);
  }

  #is(type: number): boolean {
    return this.#question.type === type || this.#question.type === types.ANY;
  }

  #noData(): DnsAnswer {
    return { ...found([]), authority: [soa(this.#domain)] };
  }

  #none(): DnsAnswer {
    return { ...this.#noData(), rcode: rcodes.NXDOMAIN };
  }

  #addresses(name: string, ips: readonly string[]): DnsAnswer {
    if (!this.#is(types.A) || ips.length === 0) return this.#noData();
    return found(ips.map((address) => ({ name, ttlSeconds, type: 'A', address })));
  }

  /** A service's own addresses, or those of its endpoints where it has none. */
  #serviceIps(service: Service): readonly string[] {
    const ips = clusterIps(service);
    return ips.length > 0 ? ips : [...new Set(hostsOf(this.#slices(service)).map(({ ip }) => ip))];
  }

  #slices(service: Service): readonly EndpointSlice[] {
    return this.#view.slices(service.metadata.namespace ?? '', service.metadata.name ?? '');
  }

  /** `<hostname>.<service>`, or `_tcp.<service>`, which exists only because of what is below it. */
  #member(service: Service, name: string, label: string): DnsAnswer {
    if (label.startsWith('_')) {
      const exists = (service.spec?.ports ?? []).some((port) => port.name !== undefined && `_${(port.protocol ?? 'TCP').toLowerCase()}` === label);
      return exists ? this.#noData() : this.#none();
    }
    const ips = hostsOf(this.#slices(service)).filter(({ hostname }) => hostname === label).map(({ ip }) => ip);
    return ips.length === 0 ? this.#none() : this.#addresses(name, [...new Set(ips)]);
  }

  #srv(service: Service, name: string, portName: string, protocol: string): DnsAnswer {
    const port = service.spec?.ports?.find((one) => (one.name ?? '').toLowerCase() === portName && (one.protocol ?? 'TCP').toLowerCase() === protocol);
    if (port === undefined || portName === '') return this.#none();
    if (!this.#is(types.SRV)) return this.#noData();
    const base = `${service.metadata.name}.${service.metadata.namespace}.svc.${this.#domain}`;
    const ips = clusterIps(service);
    if (ips.length > 0) {
      return found([{ name, ttlSeconds, type: 'SRV', priority: 0, weight: 100, port: port.port, target: base }],
        ips.map((address) => ({ name: base, ttlSeconds, type: 'A', address })));
    }
    const targets = this.#slices(service).flatMap((slice) => {
      const number = slice.ports?.find((one) => (one.name ?? '').toLowerCase() === portName && (one.protocol ?? 'TCP').toLowerCase() === protocol)?.port;
      return number === undefined ? [] : hostsOf([slice]).map((host) => ({ ...host, number, target: `${host.hostname}.${base}` }));
    });
    if (targets.length === 0) return this.#noData();
    const weight = Math.max(1, Math.floor(100 / targets.length));
    return found(targets.map(({ number, target }) => ({ name, ttlSeconds, type: 'SRV', priority: 0, weight, port: number, target })),
      targets.map(({ target, ip }) => ({ name: target, ttlSeconds, type: 'A', address: ip })));
  }

  /** `10-244-0-7.<namespace>.pod`: the address is in the name. */
  #pod(namespace: string | undefined, labels: readonly string[], name: string): DnsAnswer {
    if (namespace === undefined) return this.#noData();
    if (!this.#view.hasNamespace(namespace) || labels.length > 1) return this.#none();
    if (labels.length === 0) return this.#noData();
    const ip = labels[0]!.replaceAll('-', '.');
    return isIpv4(ip) ? this.#addresses(name, [ip]) : this.#none();
  }

  #external(service: Service, name: string, chain: number): DnsAnswer {
    const target = (service.spec?.externalName ?? '').toLowerCase().replace(/\.$/, '');
    if (target === '' || chain >= longestChain) return refusal(rcodes.SERVFAIL);
    const alias: ResourceRecord = { name, ttlSeconds, type: 'CNAME', target };
    if (this.#question.type === types.CNAME) return found([alias]);
    if (target !== this.#domain && !target.endsWith(`.${this.#domain}`)) return { ...found([alias]), follow: target };
    const rest = this.answer(target, chain + 1);
    return { ...rest, answers: [alias, ...rest.answers] };
  }
}

const reverse = (question: Question, name: string, domain: string, view: DnsView): DnsAnswer | undefined => {
  const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
  if (!isIpv4(ip)) return undefined;
  const service = view.serviceByIp(ip);
  const targets = service !== undefined
    ? [`${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`]
    : view.slicesByIp(ip).flatMap((slice) => memberNames(slice, ip, domain, view));
  if (targets.length === 0) return undefined;
  if (question.type !== types.PTR && question.type !== types.ANY) return { ...found([]), authority: [soa(domain)] };
  return found(targets.map((target) => ({ name, ttlSeconds, type: 'PTR', target })));
};

/** Names of an address under headless services whose ready endpoint it is: those by which it is found. */
const memberNames = (slice: EndpointSlice, ip: string, domain: string, view: DnsView): readonly string[] => {
  const { namespace = '' } = slice.metadata;
  const serviceName = slice.metadata.labels?.['kubernetes.io/service-name'] ?? '';
  const service = view.service(namespace, serviceName);
  if (service === undefined || clusterIps(service).length > 0) return [];
  return hostsOf([slice]).flatMap((host) => (host.ip === ip ? [`${host.hostname}.${serviceName}.${namespace}.svc.${domain}`] : []));
};

/** Endpoints that are ready (where the service publishes others too, its slices say ready), with a name each. */
const hostsOf = (slices: readonly EndpointSlice[]): readonly Host[] => slices.filter(({ addressType }) => addressType === 'IPv4').flatMap((slice) =>
  (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready ?? true).flatMap(({ addresses, hostname }) =>
    addresses.slice(0, 1).map((ip) => ({ ip, hostname: (hostname ?? ip.replaceAll('.', '-')).toLowerCase() }))));
