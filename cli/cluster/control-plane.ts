import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthenticator } from '../../apiserver/authentication/certificates.ts';
import { firstOf } from '../../apiserver/authentication/chain.ts';
import { createTokenAuthenticator } from '../../apiserver/authentication/tokens.ts';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../apiserver/authorization/reconcile-roles.ts';
import { apiServerUser } from '../../apiserver/api-server-user.ts';
import { advertise, bootstrap, type ServerEndpoint } from '../../apiserver/bootstrap.ts';
import { Core } from '../../apiserver/core.ts';
import { expireEvents } from '../../apiserver/event-expiry.ts';
import { createAgentReader } from '../../apiserver/http/agent-reader.ts';
import { createNodeClient, type NodeTls } from '../../apiserver/http/node-client.ts';
import { defaultInFlight } from '../../apiserver/http/in-flight.ts';
import { storageAnswers } from '../../apiserver/http/health.ts';
import { createApiHttpServer, type ServerTls } from '../../apiserver/http/server.ts';
import { EtcdStorage } from '../../apiserver/storage/etcd.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import { addCoreMetrics, timedStorage } from '../../apiserver/core-metrics.ts';
import { certificatesIn } from '../../base/authorities.ts';
import { addProcessMetrics } from '../../base/metrics/process-metrics.ts';
import { Metrics } from '../../base/metrics/metrics.ts';
import type { Clock } from '../../base/clock.ts';
import { createClient } from '../../client/client.ts';
import type { Log } from '../../base/log.ts';
import { builtinKinds, createRegistry } from '../../schemas/registry.ts';
import { parseCidr } from '../cidr.ts';
import type { ClusterConfig } from '../config.ts';
import type { EtcdConfig } from '../etcd-config.ts';
import { openAudit } from './audit.ts';
import type { SharedRotation } from './authority/rotation.ts';
import { SharedAuthority } from './authority/shared-authority.ts';
import { clusterDomain } from './cluster-domain.ts';
import { ensureCredentials, type ClusterCredentials } from './credentials.ts';
import { authorityHash } from './join/join-token.ts';
import { nodePortRange } from './node-port-range.ts';
import { openStorage } from './open-storage.ts';
import { assertSameCluster } from './same-cluster.ts';
import { ServerDirectory } from './server-directory.ts';
import { createMaterialSource } from './servers/server-material.ts';
import { ensureSigningKey } from './signing-key.ts';
import { bargeVersion } from '../../base/version.ts';

export interface ControlPlane {
  readonly core: Core;
  /** What this process counts; /metrics shows it. */
  readonly metrics: Metrics;
  readonly credentials: ClusterCredentials;
  /** How the servers of the cluster agree on an authority; undefined where this is the only one. */
  readonly shared: SharedRotation | undefined;
  /** `https://HOST:PORT`, as written into the admin's kubeconfig. */
  readonly url: string;
  /** The same for other machines; undefined where it listens on loopback alone. */
  readonly outsideUrl: string | undefined;
  /** Addresses at which pods reach this and other servers of the cluster. */
  serverAddresses(): readonly string[];
  /** Other servers of the cluster that live, and where they are. */
  otherServers(): ReturnType<ServerDirectory['othersAt']>;
  /** Aborts when the store cannot be written any more; the process must end. */
  readonly failed: AbortSignal;
  /**
   * Lets pods in, where the server listens on loopback alone: it also answers at an address of the node on the pods'
   * network, and the endpoints of default/kubernetes name that.
   */
  letPodsIn(address: string): Promise<void>;
  /** Ends watches, finishes what is under way and closes the store. */
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly config: ClusterConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly nodeIps: readonly string[];
}

/** The address of the Service default/kubernetes: the first of the range. */
const firstServiceIp = (serviceCidr: string): string => {
  const first = parseCidr(serviceCidr)!.first + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
};

/** The host as clients on this machine reach it. */
const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host);

/** Where pods reach a server that listens on an address; undefined where they cannot. */
const forPods = (address: string, nodeIp: string): string | undefined => {
  if (address === '0.0.0.0' || address === '::') return nodeIp;
  return isIPv4(address) && !address.startsWith('127.') ? address : undefined;
};

/** Where other machines reach a server that listens on an address; undefined where they cannot. */
const forMachines = (address: string, nodeIp: string): string | undefined => {
  const at = address === '0.0.0.0' || address === '::' ? nodeIp : address;
  if (at === '::1' || at.startsWith('127.')) return undefined;
  return at.includes(':') ? `[${at}]` : at;
};

/** The limits of requests that the settings say. */
const limitsOf = ({ requestsInFlight: { reading, mutating }, watchesPerUser, requestTimeoutMs }: ClusterConfig) => ({
  timeoutMs: requestTimeoutMs,
  inFlight: {
    ...defaultInFlight, reading, readingPerUser: Math.ceil(reading / 2), mutating, mutatingPerUser: Math.ceil(mutating / 2),
    longRunningPerUser: watchesPerUser, longRunning: Math.max(watchesPerUser, defaultInFlight.longRunning),
  },
});

/** How the API server shows itself now. The authority goes along with the certificate: who joins knows its hash and has yet to see it. */
const serverTls = ({ server: { pair: { cert, key } }, trust, authority }: ClusterCredentials): ServerTls => ({ cert: `${cert}${authority().chain}`, key, ca: trust.current });

/** How the API server shows itself to agents, with the certificate in force at each dial. */
class LiveNodeTls implements NodeTls {
  readonly #credentials: Pick<ClusterCredentials, 'trust' | 'authority' | 'apiserverClient'>;

  constructor(credentials: Pick<ClusterCredentials, 'trust' | 'authority' | 'apiserverClient'>) {
    this.#credentials = credentials;
  }

  get ca(): string {
    return this.#credentials.trust.current;
  }

  get cert(): string {
    // An agent may not have heard of the newest authority yet.
    return `${this.#credentials.apiserverClient.pair.cert}${this.#credentials.authority().chain}`;
  }

  get key(): string {
    return this.#credentials.apiserverClient.pair.key;
  }
}

const whereOf = ({ endpoints, prefix }: EtcdConfig): string => `${endpoints.join(',')} under ${prefix}`;

/** The keys of the cluster: those of the data folder and, where servers share an etcd, what they have agreed upon there. */
const openCredentials = async ({ config, clock, log, nodeIps }: Omit<ControlPlaneOptions, 'random'>, opening: Promise<Storage>) => {
  const accountKey = await ensureSigningKey(join(config.dataDir, 'pki'));
  const storage = config.etcd === undefined ? undefined : await opening;
  const shared = config.etcd !== undefined && storage instanceof EtcdStorage ? new SharedAuthority({ note: storage.note('authority'), accountKey, where: whereOf(config.etcd) }) : undefined;
  const standing = await shared?.read();
  const credentials = await ensureCredentials({
    dataDir: config.dataDir, clock, log, hostname: hostname(), nodeName: config.nodeName, listenHost: config.listen.host, nodeIps, standing: standing?.authority,
    clusterDomain, serviceIp: firstServiceIp(config.serviceCidr), lifetimeMs: config.certificateLifetimeMs,
  });
  return { accountKey, credentials, shared: shared === undefined ? undefined : { authority: shared, revision: standing?.revision ?? 0 } };
};

/** Hashes of the authorities of which a server has certificates, and knows clients; none while it has others still. */
const authoritiesOf = (credentials: ClusterCredentials): readonly string[] => {
  const { ownRenewed, trusted } = credentials.authority();
  return ownRenewed ? certificatesIn(trusted).map(authorityHash) : [];
};

/** Opens the store, makes what every cluster has, and serves the API on it. */
export const openControlPlane = async ({ config, clock, log, random, nodeIps }: ControlPlaneOptions): Promise<ControlPlane> => {
  const metrics = new Metrics();
  const audit = config.audit === undefined ? undefined : await openAudit(config.audit, { clock, random, log: log.with({ component: 'audit' }), metrics });
  const opening = openStorage(config, { clock, log: log.with({ component: 'storage' }) });
  const [storage, { credentials, accountKey, shared }, kinds] = await Promise.all([opening, openCredentials({ config, clock, log, nodeIps }, opening), builtinKinds()]);
  const nodeTls = new LiveNodeTls(credentials);
  const registry = createRegistry(kinds);
  const accountTokens = { key: accountKey, issuer: `https://kubernetes.default.svc.${clusterDomain}` };
  const core = await Core.open({
    storage: timedStorage(storage, metrics, () => performance.now()), auditor: audit?.auditor, registry, clock, random, log: log.with({ component: 'apiserver' }), authorizer: createClusterAuthorizer, accountTokens, serviceCidr: config.serviceCidr, nodePortRange,
    nodePatience: config.nodes.patience,
    agents: createAgentReader(createNodeClient(nodeTls, clock), clock),
  });
  addCoreMetrics(metrics, core);
  addProcessMetrics(metrics);
  let advertised = false;
  const server = createApiHttpServer({
    core, authorizer: core.authorizer, clock, version: bargeVersion, metrics, auditor: audit?.auditor, limits: limitsOf(config), log: log.with({ component: 'http' }),
    authenticator: firstOf([createCertificateAuthenticator(clock), createTokenAuthenticator(core.tokens)]),
    tls: serverTls(credentials), nodeTls,
    serverMaterial: createMaterialSource({ config, authority: () => credentials.authority(), accountKey: accountTokens.key, client: createClient(core.as(apiServerUser)), clock }),
    checks: { bootstrap: () => (advertised ? undefined : 'the endpoints of the service default/kubernetes are not written yet') },
    readinessChecks: storage.newest === undefined ? {} : { etcd: storageAnswers({ newest: () => storage.newest!() }, clock) },
  });
  for (const part of [credentials.server, credentials.trust]) part.onReplaced(() => server.useTls(serverTls(credentials)));
  // One server needs no list of servers: what is said of it at its start holds until the next.
  const directory = config.etcd === undefined ? undefined : new ServerDirectory({ core, clock, log: log.with({ component: 'apiserver' }), name: config.nodeName, authorities: () => authoritiesOf(credentials) });
  const enter = async (endpoint: ServerEndpoint | undefined): Promise<void> =>
    (directory === undefined ? advertise(core, endpoint === undefined ? [] : [endpoint]) : directory.enter(endpoint));
  const closing = new AbortController();
  let expiry: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    await directory?.leave();
    await server.close();
    await expiry;
    await core.close();
    await storage.close();
    await audit?.close();
  };
  try {
    if (config.etcd !== undefined) {
      await bootstrap(core, {});
      const { clusterCidr, serviceCidr, etcd } = config;
      await assertSameCluster(core.as(apiServerUser), { accountKey: accountTokens.key, where: whereOf(etcd), settings: { clusterCidr, serviceCidr } });
    }
    await bootstrap(core, { serviceCidr: config.serviceCidr });
    await reconcileRoles(core);
    const { address, port } = await server.listen(config.listen);
    const outside = forPods(address, nodeIps[0]!);
    await enter(outside === undefined ? undefined : { address: outside, port });
    advertised = true;
    expiry = expireEvents({ transport: core.as(apiServerUser), clock, log: log.with({ component: 'apiserver' }) }, closing.signal);
    const forOthers = forMachines(address, nodeIps[0]!);
    return {
      outsideUrl: forOthers === undefined ? undefined : `https://${forOthers}:${port}`,
      serverAddresses: () => directory?.addresses ?? [],
      otherServers: async () => directory?.othersAt() ?? [],
      shared: shared === undefined || directory === undefined ? undefined : { ...shared, serversWithout: (authority) => directory.without(authority) },
      core, metrics, credentials, url: `https://${reachable(config.listen.host)}:${port}`, failed: storage.failed, close,
      letPodsIn: async (podsSide) => {
        if (outside !== undefined) return;
        await credentials.serveAt(podsSide);
        await enter(await server.listen({ host: podsSide, port }));
      },
    };
  } catch (error) {
    // Nothing that was opened may keep the process, or the store's lock.
    await close();
    throw error;
  }
};
