import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock.ts';
import { runInShell } from '../../base/command-shells.ts';
import type { Component, Surroundings } from '../../base/component.ts';
import type { LivePair } from '../../base/live-pair.ts';
import { silentLog } from '../../base/log.ts';
import { createAgentComponent, type AgentComponent, type AgentOptions } from '../../kubelet-lite/component.ts';
import { BridgeOverlay, bridgeDefaults } from '../../kubelet-lite/network/bridge.ts';
import { KnownPeers } from '../../kubelet-lite/network/known-peers.ts';
import type { Overlay } from '../../kubelet-lite/network/overlay.ts';
import { VxlanOverlay } from '../../kubelet-lite/network/vxlan.ts';
import { connectDocker } from '../../kubelet-lite/runtime/docker-client.ts';
import { DockerRuntime } from '../../kubelet-lite/runtime/docker.ts';
import type { ProxyBackend } from '../../proxy/backend.ts';
import { createProxyComponent } from '../../proxy/component.ts';
import { createDnsComponent } from '../../proxy/dns-component.ts';
import { upstreamsOf } from '../../proxy/dns-forwarder.ts';
import type { HealthCheckServer } from '../../proxy/health-check-server.ts';
import { createNetworkPolicyComponent, type NetworkPolicyComponent } from '../../proxy/network-policy/component.ts';
import { NftablesPolicies, unenforcedPolicies } from '../../proxy/network-policy/policy-enforcer.ts';
import { NftablesBackend } from '../../proxy/nftables.ts';
import { createSharedWithdrawal } from '../../proxy/shared-withdrawal.ts';
import { withdrawalPort } from '../../proxy/withdrawal-message.ts';
import type { ClusterConfig } from '../config.ts';
import { aborted } from '../run-components.ts';
import { createAuthorityReport } from './authority/report.ts';
import { apiserverClientName, type ClusterCredentials } from './credentials.ts';
import { keepOwner } from './owner.ts';
import { createPodAccess } from './pod-access.ts';
import type { Removal } from './reset-cluster.ts';

/** What a node has to know, whether the control plane is in its process or not. */
export type NodeConfig = Pick<ClusterConfig, 'dataDir' | 'nodeName' | 'dockerHost' | 'runtime' | 'clusterCidr' | 'serviceCidr' | 'nodes' | 'overlay' | 'warmSandboxes' | 'imageGc' | 'eviction' | 'reserved' | 'podManifestPath'>;

export interface NodeOptions {
  readonly config: NodeConfig;
  readonly clusterDomain: string;
  /** `identity`: by which the agent is known to the API server, where that is another than what it serves with. */
  readonly credentials: Pick<ClusterCredentials, 'trust' | 'agent'> & { readonly identity?: LivePair };
  readonly nodeIp: string;
  readonly clock: Clock;
  /** Opens the API server of this process to pods; absent where it is elsewhere. */
  readonly letPodsIn?: ((address: string) => Promise<void>) | undefined;
  /** What the agent is given, and what the proxy and DNS are given: each with an identity of its own. */
  readonly agent: Surroundings;
  readonly proxy: Surroundings;
  /** Labels that its node gets beside the usual ones. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
  /** False where a proxy runs in a process of its own. */
  readonly withProxy?: boolean;
}

const isRoot = (): boolean => process.getuid?.() === 0;

const bridgeOf = (config: NodeConfig, owner: string, log: Surroundings['log']): BridgeOverlay => new BridgeOverlay({ docker: connectDocker(config.dockerHost), log, owner });

/** The pods' network of a node; without root it ends at the machine. */
const overlayOf = (config: NodeConfig, owner: string, log: Surroundings['log']): Overlay => {
  const bridge = bridgeOf(config, owner, log);
  return isRoot() ? new VxlanOverlay({ bridge, podInterface: bridgeDefaults.interfaceName, run: runInShell, log, direct: config.overlay === 'auto' }) : bridge;
};

const nftablesOf = (config: NodeConfig, log: Surroundings['log']): NftablesBackend =>
  new NftablesBackend({ run: runInShell, serviceCidr: config.serviceCidr, podInterface: bridgeDefaults.interfaceName, log });

/** Name servers of this machine, for names that are not the cluster's; a machine without a resolv.conf has none. */
const hostUpstreams = (): readonly string[] => {
  try {
    return upstreamsOf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    return [];
  }
};

/** What differs between a real node and a pretended one; only the parts in use are loaded. */
const engineOf = async ({ config, clock, agent, credentials }: NodeOptions): Promise<Pick<AgentOptions, 'runtime' | 'overlay'>> => {
  if (config.runtime === 'simulated') {
    const [{ SimulatedRuntime }, { PretendedOverlay }] = await Promise.all([import('../../kubelet-lite/runtime/simulated.ts'), import('./pretended-network.ts')]);
    return { runtime: new SimulatedRuntime({ clock }), overlay: new PretendedOverlay() };
  }
  const owner = await keepOwner(config.dataDir, credentials.trust.current);
  return {
    runtime: new DockerRuntime({
      dockerHost: config.dockerHost, owner, network: bridgeDefaults.networkName, clock, ahead: { dir: join(config.dataDir, 'agent', 'programs'), run: runInShell, log: agent.log },
    }),
    overlay: overlayOf(config, owner, agent.log),
  };
};

const backendOf = async (config: NodeConfig, { log, clock }: Surroundings): Promise<ProxyBackend> => {
  if (config.runtime === 'simulated') return new (await import('./pretended-network.ts')).PretendedBackend();
  return isRoot() ? nftablesOf(config, log) : new (await import('../../proxy/userspace.ts')).UserspaceBackend({ log, clock });
};

/** On all addresses as root, as node ports; a pretended node shares this machine with others. */
const healthChecksOf = async (config: NodeConfig, { log }: Surroundings): Promise<HealthCheckServer | undefined> =>
  (config.runtime === 'simulated' ? undefined : new (await import('../../proxy/health-check-server.ts')).HealthCheckServer({ host: isRoot() ? '0.0.0.0' : '127.0.0.1', log }));

/** The service proxy of a node: rules of the kernel as root, relays in user space otherwise. */
export const createProxy = async (config: NodeConfig, proxy: Surroundings): Promise<ReturnType<typeof createProxyComponent>> =>
  createProxyComponent(proxy, { nodeName: config.nodeName, backend: await backendOf(config, proxy), healthChecks: await healthChecksOf(config, proxy) });

const nftablesPoliciesOf = (log: Surroundings['log']): NftablesPolicies => new NftablesPolicies({ run: runInShell, log, podInterface: bridgeDefaults.interfaceName });

/** Network policies of a node: rules of the kernel as root, elsewhere none. */
export const createNetworkPolicies = async (config: NodeConfig, proxy: Surroundings): Promise<NetworkPolicyComponent> => createNetworkPolicyComponent(proxy, {
  nodeName: config.nodeName,
  enforcer: config.runtime === 'simulated' ? new (await import('./pretended-network.ts')).PretendedPolicies() : isRoot() ? nftablesPoliciesOf(proxy.log) : unenforcedPolicies(proxy.log),
});

/** Containers wait this long before they stop when the proxy is another process: nobody says when its rules are without them. */
const elsewhereMs = 1_000;

/** The node's side of a cluster: agent, proxy and DNS, on the engine or on a pretended one. */
export const createNode = async (options: NodeOptions): Promise<readonly Component[]> => {
  const { config, clusterDomain, credentials, nodeIp, agent, proxy } = options;
  const { runtime, overlay } = await engineOf(options);
  const ownProxy = options.withProxy === false ? undefined : await createProxy(config, proxy);
  const policies = ownProxy === undefined ? undefined : await createNetworkPolicies(config, proxy);
  const known = new KnownPeers(overlay);
  const shared = ownProxy === undefined || config.runtime === 'simulated' || !isRoot() ? undefined : createSharedWithdrawal(proxy, {
    local: ownProxy.withdrawal, peers: () => known.gatewayIps(), listen: async () => ({ host: (await agentComponent.network).gatewayIp, port: withdrawalPort }),
  });
  const withdrawal = shared?.withdrawal ?? ownProxy?.withdrawal ?? { withdrawn: async (_podIp: string, signal: AbortSignal) => void await sleep(options.clock, elsewhereMs, signal) };
  const agentComponent: AgentComponent = createAgentComponent(agent, {
    nodeName: config.nodeName, nodeIp, runtime, overlay: known, withdrawal, policies,
    dataDir: join(config.dataDir, 'agent'), clusterDomain, serviceCidr: config.serviceCidr, clusterCidr: config.clusterCidr,
    tls: { serving: credentials.agent, trust: credentials.trust }, apiserverClientName, nodeLabels: options.nodeLabels ?? {}, leaseSeconds: config.nodes.leaseSeconds, warmSandboxes: config.warmSandboxes, imageGc: config.imageGc, eviction: config.eviction, reserved: config.reserved,
    staticPods: config.podManifestPath === undefined ? undefined : { path: config.podManifestPath, readManifest: (await import('../manifest-yaml.ts')).parseYaml },
  });
  const ofProxy = [ownProxy, policies].flatMap((component) => (component === undefined ? [] : [onceThereIs(agentComponent.network, component)]));
  const { trust, agent: serving, identity } = credentials;
  const report = createAuthorityReport(agent, { nodeName: config.nodeName, trust, pairs: [serving, ...(identity === undefined ? [] : [identity])] });
  const always = [agentComponent, report, ...ofProxy, ...(shared === undefined ? [] : [shared])];
  if (config.runtime === 'simulated') return always;
  const dns = createDnsComponent(proxy, {
    listen: async () => ({ host: (await agentComponent.network).gatewayIp, port: 53 }), domain: clusterDomain, upstreams: hostUpstreams(),
  });
  if (options.letPodsIn === undefined) return [...always, dns];
  return [...always, dns, createPodAccess({ network: agentComponent.network, letPodsIn: options.letPodsIn, log: agent.log })];
};

/** The component, started when the node has its network: where that belongs to another cluster, its rules must not be touched. */
const onceThereIs = (network: Promise<unknown>, component: Component): Component => ({
  name: component.name, after: component.after,
  run: async (signal, ready) => {
    await Promise.race([network.catch(() => aborted(signal)), aborted(signal)]);
    if (!signal.aborted) await component.run(signal, ready);
  },
});

/** What a node made outside its data folder, in the order in which it can be taken away. */
export const nodeRemovals = (config: ClusterConfig, owner: string): readonly Removal[] => {
  const runtime = new DockerRuntime({ dockerHost: config.dockerHost, owner, network: bridgeDefaults.networkName, clock: { now: () => Date.now(), after: () => () => undefined } });
  return [
    {
      what: 'containers',
      run: async () => {
        const sandboxes = await runtime.list();
        for (const sandbox of sandboxes) await runtime.removeSandbox(sandbox.id);
        await runtime.warm.removeAll();
        return sandboxes.length === 0 ? undefined : `removed ${sandboxes.length} pod${sandboxes.length === 1 ? '' : 's'}`;
      },
    },
    {
      what: 'service rules',
      run: async () => {
        if (!isRoot() || await bridgeOf(config, owner, silentLog).isAnothers()) return undefined;
        await nftablesOf(config, silentLog).remove();
        await nftablesPoliciesOf(silentLog).remove();
        return 'removed the rules of the service proxy and of network policies';
      },
    },
    {
      what: 'the pod network',
      run: async () => {
        if (await bridgeOf(config, owner, silentLog).isAnothers()) return undefined;
        await overlayOf(config, owner, silentLog).remove();
        return 'removed the pod network';
      },
    },
  ];
};
