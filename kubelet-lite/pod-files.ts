/** /etc/hosts and /etc/resolv.conf of a pod, as text. */
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { fqdnOf, hostnameOf } from './security.ts';

const loopback = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

const aliases = (pod: Pod): readonly string[] => {
  const list = pod.spec?.hostAliases ?? [];
  return list.length === 0 ? [] : ['', '# Entries added by HostAliases.', ...list.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join('\t'))];
};

/** The node's own file, with the pod's aliases, where the pod uses the node's network. */
export const hostsFile = (pod: Pod, { podIp, clusterDomain, nodeHosts }: { readonly podIp: string | undefined; readonly clusterDomain: string; readonly nodeHosts: string }): string => {
  if (pod.spec?.hostNetwork === true) return `${nodeHosts.trimEnd()}\n${aliases(pod).map((line) => `${line}\n`).join('')}`;
  const own = podIp === undefined ? [] : [[podIp, ...(pod.spec?.hostnameOverride ? [pod.spec.hostnameOverride] : [fqdnOf(pod, clusterDomain), hostnameOf(pod)])].filter((part) => part !== '').join('\t')];
  return [...loopback, ...own, ...aliases(pod), ''].join('\n');
};

interface Resolver { readonly nameservers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }

/** What a resolv.conf says. */
export const parseResolver = (text: string): Resolver => {
  const words = text.split('\n').map((line) => line.trim().split(/\s+/));
  const of = (keyword: string): readonly (readonly string[])[] => words.filter((line) => line[0] === keyword).map((line) => line.slice(1));
  return { nameservers: of('nameserver').flatMap((line) => line.slice(0, 1)), searches: of('search').at(-1) ?? [], options: of('options').flat() };
};

export interface ResolverInput {
  readonly clusterDomain: string;
  /** Where the cluster's DNS listens for pods. */
  readonly dnsIp: string;
  /** The node's own resolv.conf. */
  readonly nodeResolver: string;
}

/** glibc looks no further; Kubernetes warns and cuts as well. */
const limits = { nameservers: 3, searches: 32 } as const;

export const resolverFile = (pod: Pod, { clusterDomain, dnsIp, nodeResolver }: ResolverInput): string => {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const node = parseResolver(nodeResolver);
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && pod.spec?.hostNetwork !== true);
  const namespace = pod.metadata.namespace ?? '';
  const base: Resolver = policy === 'None' ? { nameservers: [], searches: [], options: [] }
    : cluster ? { nameservers: [dnsIp], searches: [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...node.searches], options: ['ndots:5'] }
    : node;
  const config = pod.spec?.dnsConfig ?? {};
  const extra = (config.options ?? []).map(({ name = '', value }) => (value === undefined || value === '' ? name : `${name}:${value}`));
  const named = (option: string): string => option.split(':')[0] ?? '';
  const options = [...base.options.filter((option) => !extra.some((other) => named(other) === named(option))), ...extra];
  const nameservers = [...new Set([...base.nameservers, ...(config.nameservers ?? [])])].slice(0, limits.nameservers);
  const searches = [...new Set([...base.searches, ...(config.searches ?? [])])].slice(0, limits.searches);
  return [
    ...nameservers.map((ip) => `nameserver ${ip}`),
    ...(searches.length === 0 ? [] : [`search ${searches.join(' ')}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
    '',
  ].join('\n');
};
