import { isIPv4 } from 'node:net';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { load, YAMLException } from 'js-yaml';
import { parseCidr, type Cidr } from './cidr.ts';
import { etcdConfigOf, etcdSettings, type EtcdConfig } from './etcd-config.ts';
import { durationMs } from './flags.ts';
import { AddressPool } from '../controllers/load-balancer/address-pool.ts';
import type { LogLevel } from '../base/log.ts';
import type { ImageGcLimits } from '../kubelet-lite/pressure/image-gc-plan.ts';
import { defaultThresholds, parseThresholds, type EvictionSettings } from '../kubelet-lite/pressure/thresholds.ts';
import { parseReserved } from '../kubelet-lite/resources/reserved.ts';

/** What `barge up` runs with. All state lives in dataDir, but for the objects where there is an etcd. */
export interface ClusterConfig {
  readonly dataDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** File of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly nodeName: string;
  /** IPv4 address by which the others reach this machine; undefined is the likeliest. */
  readonly nodeIp: string | undefined;
  /** `unix:///path` or `tcp://host:port`; undefined is the engine's usual socket. */
  readonly dockerHost: string | undefined;
  readonly runtime: 'docker' | 'simulated';
  /** Parts that run in this process beside the API server. */
  readonly controllers: boolean;
  readonly scheduler: boolean;
  /** The node's side: agent, proxy and DNS. */
  readonly agent: boolean;
  /** Pod sandboxes that a node makes ahead; 0 for none. */
  readonly warmSandboxes: number;
  /** When a node removes images that nothing uses. */
  readonly imageGc: ImageGcLimits;
  /** When a node evicts pods. */
  readonly eviction: EvictionSettings;
  /** What of this machine's node is not for pods, by who needs it. */
  readonly reserved: readonly Readonly<Record<string, string>>[];
  /** The folder with the node's own pods. */
  readonly podManifestPath: string | undefined;
  /** Where the objects are; undefined: in a file of dataDir. */
  readonly etcd: EtcdConfig | undefined;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  /** Networks and ranges of addresses for Services of type LoadBalancer; undefined: such have none from us. */
  readonly loadBalancerPool: string | undefined;
  /** Nodes take traffic for what users write into `spec.externalIPs` of Services. */
  readonly externalIps: boolean;
  /** `auto`: straight to nodes of the same link. */
  readonly overlay: 'auto' | 'vxlan';
  /** Requests that the API server carries out at once; of one user half as many. */
  readonly requestsInFlight: { readonly reading: number; readonly mutating: number };
  /** Watches and streams that one user may have open. */
  readonly watchesPerUser: number;
  readonly requestTimeoutMs: number;
  /** Where and what is written down of requests; undefined: nothing. */
  readonly audit: AuditConfig | undefined;
  /** How soon nodes are given up: from the lease that they renew to the pods that leave. */
  readonly nodes: NodeConfig;
  /** YAML file with the scheduler's profiles. */
  readonly schedulerConfigFile: string | undefined;
  /** Of the scheduler's only profile, where there is no file. */
  readonly schedulerStrategy: 'spread' | 'binpack' | 'random' | undefined;
  /** How long certificates are good for that the cluster's authority signs; a request may ask for less. */
  readonly certificateLifetimeMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  /** The settings that were said, by name, wherever that was. */
  readonly given: Given;
}

/** Times and rates of nodes that fail; Kubernetes' own names, but for the lease's, which is a field of its kubelet's file. */
export interface NodeConfig {
  readonly leaseSeconds: number;
  readonly monitorGraceMs: number;
  readonly patience: { readonly notReadySeconds: number; readonly unreachableSeconds: number };
  readonly evictionRates: { readonly perSecond: number; readonly secondaryPerSecond: number; readonly largeZone: number; readonly unhealthyShare: number };
}

export interface AuditConfig {
  readonly file: string;
  /** A Policy of audit.k8s.io/v1; undefined is barge's own: who did what, without bodies. */
  readonly policyFile: string | undefined;
  readonly maxBytes: number;
  readonly maxBackups: number;
}

/** A wrong flag or line of the config file; the message names it and says what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A setting: its name as a flag and as a key of the config file, what its value looks like, and what it does. */
export interface Setting {
  readonly name: string;
  /** Placeholder of the value in help; absent for a switch. */
  readonly value?: string;
  readonly summary: string;
  /** The same on all servers of a cluster: one that joins gets it from another. `file`: not its name, but what is in it. */
  readonly shared?: 'value' | 'file';
}

export const settings: readonly Setting[] = [
  { name: 'data-dir', value: 'DIR', summary: 'where all state lives (default /var/lib/barge as root, else barge in the XDG data folder)' },
  { name: 'listen', value: 'HOST:PORT', summary: 'where the API server listens (default 127.0.0.1:6443; port 0 picks a free one)' },
  ...etcdSettings,
  { name: 'kubeconfig', value: 'FILE', summary: "where the admin's kubeconfig goes, mode 0600 (default DIR/admin.kubeconfig)" },
  { name: 'node-name', value: 'NAME', summary: "name of this machine's node (default the host name)" },
  { name: 'node-ip', value: 'ADDRESS', summary: 'IPv4 address of this machine by which nodes and pods reach it (default that of its first interface)' },
  { name: 'docker-host', value: 'URL', summary: 'the Docker Engine, unix:// or tcp:// (default DOCKER_HOST, else unix:///var/run/docker.sock)' },
  { name: 'runtime', value: 'docker|simulated', summary: 'what runs the containers; simulated only pretends to (default docker)' },
  { name: 'warm-sandboxes', value: 'N', summary: 'pod sandboxes that a node keeps ready for pods to come, 0 for none (default 8)' },
  { name: 'image-gc-high-threshold', value: 'PERCENT', summary: "use of the engine's disk from which a node removes images that it pulled and nothing uses; 100 for never (default 85)" },
  { name: 'image-gc-low-threshold', value: 'PERCENT', summary: 'use of the disk down to which it removes them (default 80)' },
  { name: 'minimum-image-ttl-duration', value: 'TIME', summary: 'images that were pulled or used less than this ago stay (default 2m)' },
  { name: 'eviction-hard', value: 'LIST', summary: `under what a node evicts pods, as the kubelet's: signal<amount or signal<percent, 0% for never (default ${defaultThresholds})` },
  { name: 'eviction-pressure-transition-period', value: 'TIME', summary: 'how long a node says that it is short of something after it was (default 5m)' },
  { name: 'system-reserved', value: 'LIST', summary: "what of the machine is kept from pods for its other programs, as the kubelet's: cpu=500m,memory=1Gi,ephemeral-storage=1Gi (default: none, beside what eviction keeps free)" },
  { name: 'kube-reserved', value: 'LIST', summary: 'the same for the container engine and barge itself' },
  { name: 'pod-manifest-path', value: 'DIR', summary: "folder of this machine with pods that its node runs by itself, one a file (*.yaml, *.yml or *.json), with or without a server: static pods (default: none)" },
  { name: 'no-agent', summary: 'run the control plane without a node agent, proxy and DNS' },
  { name: 'components', value: 'LIST', summary: "what runs in this process beside the API server: some of controllers,scheduler,agent, or none (default all); 'barge controllers' and its like run the others" },
  { name: 'cluster-cidr', shared: 'value', value: 'CIDR', summary: 'addresses of pods (default 10.244.0.0/16)' },
  { name: 'service-cidr', shared: 'value', value: 'CIDR', summary: 'addresses of services (default 10.96.0.0/16)' },
  { name: 'load-balancer-pool', shared: 'value', value: 'CIDR|FIRST-LAST,...', summary: 'addresses for services of type LoadBalancer, which the network must send to the nodes (default: none, they wait for an address from somebody else)' },
  { name: 'external-ips', shared: 'value', summary: 'serve spec.externalIPs of services on all nodes; who may write a service can then take traffic for any address (default: they are stored only)' },
  { name: 'overlay', shared: 'value', value: 'auto|vxlan', summary: 'how packets get to pods of other nodes: auto goes straight to nodes on the same link and through VXLAN to others; vxlan is for links that carry packets of known addresses only; the same on all nodes (default auto)' },
  { name: 'max-requests-inflight', value: 'N', summary: 'requests that read, carried out at once; one user has half of it (default 400)' },
  { name: 'max-mutating-requests-inflight', value: 'N', summary: 'requests that write, carried out at once; one user has half of it (default 200)' },
  { name: 'max-watches-per-user', value: 'N', summary: 'watches and streams that one user may have open (default 1000)' },
  { name: 'request-timeout', value: 'TIME', summary: 'longest time for a request that is no watch and no stream (default 60s)' },
  { name: 'audit-log', value: 'FILE', summary: 'write down who does what, as JSON lines (default: nothing is written)' },
  { name: 'audit-policy', value: 'FILE', summary: 'Policy of audit.k8s.io/v1: what is written of which requests (default: all but reads of components, without bodies)' },
  { name: 'audit-log-max-size', value: 'MB', summary: 'size at which the audit log is put aside (default 100)' },
  { name: 'audit-log-max-backups', value: 'N', summary: 'audit logs that are put aside and kept (default 10)' },
  { name: 'scheduler-strategy', shared: 'value', value: 'spread|binpack|random', summary: 'how the scheduler ranks nodes for pods that ask for nothing else (default spread)' },
  { name: 'scheduler-config', shared: 'file', value: 'FILE', summary: "YAML file with the scheduler's profiles, in place of --scheduler-strategy: by schedulerName a strategy, or scorers with weights" },
  { name: 'node-lease-duration', shared: 'value', value: 'TIME', summary: "how long a node's lease is good; it is renewed four times in that (default 20s, in Kubernetes 40s)" },
  { name: 'node-monitor-grace-period', shared: 'value', value: 'TIME', summary: 'silence after which a node is lost; several renewals of its lease (default 15s, in Kubernetes 40s)' },
  { name: 'default-unreachable-toleration-seconds', shared: 'value', value: 'N', summary: 'how long pods that do not say so stay on a lost node (default 5, in Kubernetes 300)' },
  { name: 'default-not-ready-toleration-seconds', shared: 'value', value: 'N', summary: 'how long they stay on one that says it is not ready (default 300)' },
  { name: 'node-eviction-rate', shared: 'value', value: 'N', summary: 'lost nodes of a zone that are given up in a second (default 0.1)' },
  { name: 'secondary-node-eviction-rate', shared: 'value', value: 'N', summary: 'the same where many nodes of a large zone are lost; in a small one then none is (default 0.01)' },
  { name: 'unhealthy-zone-threshold', shared: 'value', value: 'N', summary: 'share of lost nodes from which they are many (default 0.55)' },
  { name: 'large-cluster-size-threshold', shared: 'value', value: 'N', summary: 'nodes above which a zone is large (default 50)' },
  { name: 'cluster-signing-duration', shared: 'value', value: 'TIME', summary: 'how long certificates that the cluster signs are good for; they are renewed by themselves (default 8760h)' },
  { name: 'log-level', value: 'LEVEL', summary: 'debug, info, warn or error (default info)' },
  { name: 'log-format', value: 'text|json', summary: 'form of the log lines on standard error (default text)' },
];

/** Those of a node that runs low or keeps something for itself, wherever it runs. */
export const pressureSettings = ['image-gc-high-threshold', 'image-gc-low-threshold', 'minimum-image-ttl-duration', 'eviction-hard', 'eviction-pressure-transition-period', 'system-reserved', 'kube-reserved'] as const;

export type Given = Readonly<Record<string, string | boolean>>;

export interface SettingsFile {
  readonly name: string;
  readonly text: string;
}

export interface ConfigSources {
  /** By name of the setting; they win over the file. */
  readonly flags: Given;
  readonly file?: SettingsFile | undefined;
  /** What a machine that has joined as a server keeps: the file and the flags win over it. */
  readonly kept?: SettingsFile | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly root: boolean;
}

const known = new Map(settings.map((setting) => [setting.name, setting]));

/** The settings of a config file: the flags' names as keys. Throws ConfigError with file, line and key. */
export const readConfigFile = (name: string, text: string): Given => {
  let document: unknown;
  try {
    document = load(text, { filename: name });
  } catch (error) {
    throw new ConfigError(`${name}: ${error instanceof YAMLException ? error.message : String(error)}`);
  }
  if (document === undefined || document === null) return {};
  if (typeof document !== 'object' || Array.isArray(document)) throw new ConfigError(`${name}: must be a map of settings, such as "listen: 127.0.0.1:6443"`);
  const given: Record<string, string | boolean> = {};
  for (const [key, value] of Object.entries(document)) {
    const setting = known.get(key);
    if (setting === undefined) throw new ConfigError(`${name}: unknown setting ${JSON.stringify(key)}; there are: ${[...known.keys()].join(', ')}`);
    if (setting.value === undefined) {
      if (typeof value !== 'boolean') throw new ConfigError(`${name}: ${key}: must be true or false`);
      given[key] = value;
    } else {
      if (typeof value !== 'string' && typeof value !== 'number') throw new ConfigError(`${name}: ${key}: must be ${setting.value}`);
      given[key] = String(value);
    }
  }
  return given;
};

const wordOf = <const T extends string>(name: string, value: string, words: readonly T[]): T => {
  const word = words.find((one) => one === value);
  if (word === undefined) throw new ConfigError(`--${name}: ${JSON.stringify(value)} is not one of ${words.join(', ')}`);
  return word;
};

const parts = ['controllers', 'scheduler', 'agent'] as const;

const componentsOf = (value: string): ReadonlySet<string> =>
  new Set(value === 'none' ? [] : value.split(',').map((word) => wordOf('components', word.trim(), parts)));

/** A whole number within bounds. */
const countOf = (name: string, value: string, { least, most }: { readonly least: number; readonly most: number }): number => {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(count >= least && count <= most)) throw new ConfigError(`--${name}: ${JSON.stringify(value)} must be a whole number from ${least} to ${most}`);
  return count;
};

/** A number within bounds, such as 0.1. */
const rateOf = (name: string, value: string, most: number): number => {
  const rate = /^\d{1,6}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
  if (!(rate >= 0 && rate <= most)) throw new ConfigError(`--${name}: ${JSON.stringify(value)} must be a number from 0 to ${most}, such as 0.1`);
  return rate;
};

const nodesOf = (text: (name: string) => string | undefined): NodeConfig => {
  const leaseMs = timeOf('node-lease-duration', text('node-lease-duration') ?? '20s');
  const monitorGraceMs = timeOf('node-monitor-grace-period', text('node-monitor-grace-period') ?? '15s');
  if (monitorGraceMs < leaseMs / 2) throw new ConfigError(`--node-monitor-grace-period: must be at least half of --node-lease-duration, which is two renewals; else nodes that are well are lost now and then`);
  const seconds = (name: string, otherwise: string): number => countOf(name, text(name) ?? otherwise, { least: 0, most: 86_400 });
  return {
    leaseSeconds: Math.max(1, Math.round(leaseMs / 1_000)), monitorGraceMs,
    patience: { notReadySeconds: seconds('default-not-ready-toleration-seconds', '300'), unreachableSeconds: seconds('default-unreachable-toleration-seconds', '5') },
    evictionRates: {
      perSecond: rateOf('node-eviction-rate', text('node-eviction-rate') ?? '0.1', 1_000), secondaryPerSecond: rateOf('secondary-node-eviction-rate', text('secondary-node-eviction-rate') ?? '0.01', 1_000),
      unhealthyShare: rateOf('unhealthy-zone-threshold', text('unhealthy-zone-threshold') ?? '0.55', 1), largeZone: countOf('large-cluster-size-threshold', text('large-cluster-size-threshold') ?? '50', { least: 0, most: 1_000_000 }),
    },
  };
};

const timeOf = (name: string, value: string, { least = '1s', most = '1h' }: { readonly least?: string; readonly most?: string } = {}): number => {
  let ms: number;
  try {
    ms = durationMs(value);
  } catch (error) {
    throw new ConfigError(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (ms < durationMs(least) || ms > durationMs(most)) throw new ConfigError(`--${name}: ${JSON.stringify(value)} must be from ${least} to ${most}`);
  return ms;
};

const imageGcOf = (text: (name: string) => string | undefined): ImageGcLimits => {
  const highPercent = countOf('image-gc-high-threshold', text('image-gc-high-threshold') ?? '85', { least: 1, most: 100 });
  const lowPercent = countOf('image-gc-low-threshold', text('image-gc-low-threshold') ?? '80', { least: 0, most: 100 });
  if (lowPercent >= highPercent) throw new ConfigError(`--image-gc-low-threshold: ${lowPercent} must be less than --image-gc-high-threshold, which is ${highPercent}`);
  return { highPercent, lowPercent, youngestMs: timeOf('minimum-image-ttl-duration', text('minimum-image-ttl-duration') ?? '2m', { least: '0s', most: '8760h' }) };
};

const evictionOf = (text: (name: string) => string | undefined): EvictionSettings => {
  const transitionMs = timeOf('eviction-pressure-transition-period', text('eviction-pressure-transition-period') ?? '5m', { least: '0s', most: '24h' });
  try {
    return { thresholds: parseThresholds(text('eviction-hard') ?? defaultThresholds), transitionMs };
  } catch (error) {
    throw new ConfigError(`--eviction-hard: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const reservedOf = (text: (name: string) => string | undefined): readonly Readonly<Record<string, string>>[] => ['system-reserved', 'kube-reserved'].flatMap((name) => {
  const list = text(name);
  if (list === undefined || list === '') return [];
  try {
    return [parseReserved(list)];
  } catch (error) {
    throw new ConfigError(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
});

/** Throws ConfigError. */
export const listenOf = (value: string): { readonly host: string; readonly port: number } => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new ConfigError(`--listen: ${JSON.stringify(value)} must be HOST:PORT, such as 127.0.0.1:6443 or [::1]:6443`);
  return { host: match[1] ?? match[2]!, port };
};

const cidrOf = (name: string, value: string, maxBits: number): string => {
  const cidr = parseCidr(value);
  if (cidr === undefined || cidr.bits > maxBits || cidr.bits < 8) {
    throw new ConfigError(`--${name}: ${JSON.stringify(value)} must be an IPv4 network of /8 to /${maxBits} written by its first address, such as 10.244.0.0/16`);
  }
  return value;
};

/** The text of a pool that shares no address with the networks of the cluster. */
const poolOf = (text: string, networks: Readonly<Record<string, Cidr>>): string => {
  try {
    for (const span of new AddressPool(text).spans) {
      for (const [what, { first, last }] of Object.entries(networks)) if (span.first <= last && first <= span.last) throw new Error(`${text} overlaps ${what}`);
    }
    return text;
  } catch (error) {
    throw new ConfigError(`--load-balancer-pool: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const etcdOf = (text: (name: string) => string | undefined): EtcdConfig | undefined => {
  try {
    return etcdConfigOf(text, resolve);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
};

/** Where state lives when nothing else is said. */
export const defaultDataDir = (env: ConfigSources['env'], root: boolean): string =>
  root ? '/var/lib/barge' : join(env['XDG_DATA_HOME'] || join(env['HOME'] || homedir(), '.local/share'), 'barge');

/** A node name out of the host's name: small letters, digits, dashes and dots. */
const nodeNameOf = (host: string): string => host.toLowerCase().replace(/[^a-z0-9.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'node';

const auditOf = (text: (name: string) => string | undefined): AuditConfig | undefined => {
  const file = text('audit-log');
  const policyFile = text('audit-policy');
  if (file === undefined && policyFile !== undefined) throw new ConfigError('--audit-policy: needs --audit-log, which says where to write');
  const maxBytes = countOf('audit-log-max-size', text('audit-log-max-size') ?? '100', { least: 1, most: 100_000 }) * 1024 * 1024;
  const maxBackups = countOf('audit-log-max-backups', text('audit-log-max-backups') ?? '10', { least: 0, most: 1_000 });
  return file === undefined ? undefined : { file: resolve(file), policyFile: policyFile === undefined ? undefined : resolve(policyFile), maxBytes, maxBackups };
};

/** Puts flags, file and defaults together. Throws ConfigError for the first setting that is wrong. */
export const readConfig = ({ flags, file, kept, env, root }: ConfigSources): ClusterConfig => {
  const said = (from: SettingsFile | undefined): Given => (from === undefined ? {} : readConfigFile(from.name, from.text));
  const given: Given = { ...said(kept), ...said(file), ...flags };
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === '') throw new ConfigError(`--${name}: must not be empty`);
    return typeof value === 'string' ? value : undefined;
  };
  const dataDir = resolve(text('data-dir') ?? defaultDataDir(env, root));
  const nodeName = text('node-name') ?? nodeNameOf(hostname());
  if (!/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(nodeName)) {
    throw new ConfigError(`--node-name: ${JSON.stringify(nodeName)} must be at most 63 small letters, digits, "-" and ".", with a letter or digit at both ends`);
  }
  const nodeIp = text('node-ip');
  if (nodeIp !== undefined && !isIPv4(nodeIp)) throw new ConfigError(`--node-ip: ${JSON.stringify(nodeIp)} must be an IPv4 address of this machine, such as 192.0.2.1`);
  const clusterCidr = cidrOf('cluster-cidr', text('cluster-cidr') ?? '10.244.0.0/16', 24);
  const serviceCidr = cidrOf('service-cidr', text('service-cidr') ?? '10.96.0.0/16', 28);
  const pods = parseCidr(clusterCidr)!;
  const services = parseCidr(serviceCidr)!;
  if (pods.first <= services.last && services.first <= pods.last) throw new ConfigError(`--service-cidr: ${serviceCidr} overlaps the pods' ${clusterCidr}`);
  const pool = text('load-balancer-pool');
  const dockerHost = text('docker-host') ?? (env['DOCKER_HOST'] || undefined);
  if (dockerHost !== undefined && !/^(unix:\/\/\/.|tcp:\/\/.)/.test(dockerHost)) {
    throw new ConfigError(`--docker-host: ${JSON.stringify(dockerHost)} must begin with unix:/// or tcp://`);
  }
  const podManifestPath = text('pod-manifest-path');
  const schedulerConfig = text('scheduler-config');
  const schedulerStrategy = text('scheduler-strategy');
  if (schedulerConfig !== undefined && schedulerStrategy !== undefined) throw new ConfigError('--scheduler-strategy: not beside --scheduler-config, whose profiles say it');
  const components = componentsOf(text('components') ?? parts.join(','));
  return {
    given,
    dataDir,
    listen: listenOf(text('listen') ?? '127.0.0.1:6443'),
    kubeconfig: resolve(text('kubeconfig') ?? join(dataDir, 'admin.kubeconfig')),
    nodeName,
    nodeIp,
    dockerHost,
    runtime: wordOf('runtime', text('runtime') ?? 'docker', ['docker', 'simulated']),
    controllers: components.has('controllers'),
    scheduler: components.has('scheduler'),
    agent: given['no-agent'] !== true && components.has('agent'),
    warmSandboxes: countOf('warm-sandboxes', text('warm-sandboxes') ?? '8', { least: 0, most: 110 }),
    imageGc: imageGcOf(text),
    eviction: evictionOf(text),
    reserved: reservedOf(text),
    podManifestPath: podManifestPath === undefined ? undefined : resolve(podManifestPath),
    etcd: etcdOf(text),
    clusterCidr,
    serviceCidr,
    loadBalancerPool: pool === undefined ? undefined : poolOf(pool, { [`the pods' ${clusterCidr}`]: pods, [`the services' ${serviceCidr}`]: services }),
    externalIps: given['external-ips'] === true,
    overlay: wordOf('overlay', text('overlay') ?? 'auto', ['auto', 'vxlan']),
    requestsInFlight: {
      reading: countOf('max-requests-inflight', text('max-requests-inflight') ?? '400', { least: 2, most: 100_000 }),
      mutating: countOf('max-mutating-requests-inflight', text('max-mutating-requests-inflight') ?? '200', { least: 2, most: 100_000 }),
    },
    watchesPerUser: countOf('max-watches-per-user', text('max-watches-per-user') ?? '1000', { least: 1, most: 100_000 }),
    requestTimeoutMs: timeOf('request-timeout', text('request-timeout') ?? '60s'),
    audit: auditOf(text),
    nodes: nodesOf(text),
    schedulerConfigFile: schedulerConfig === undefined ? undefined : resolve(schedulerConfig),
    schedulerStrategy: schedulerStrategy === undefined ? undefined : wordOf('scheduler-strategy', schedulerStrategy, ['spread', 'binpack', 'random']),
    certificateLifetimeMs: timeOf('cluster-signing-duration', text('cluster-signing-duration') ?? '8760h', { least: '10s', most: '87600h' }),
    logLevel: wordOf('log-level', text('log-level') ?? 'info', ['debug', 'info', 'warn', 'error']),
    logFormat: wordOf('log-format', text('log-format') ?? 'text', ['text', 'json']),
  };
};
