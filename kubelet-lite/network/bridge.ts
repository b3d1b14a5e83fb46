import type Docker from 'dockerode';
import type { Log } from '../../base/log.ts';
import type { Overlay, Peer, Self } from './overlay.ts';
import { parseSubnet } from './subnets.ts';

export interface BridgeOptions {
  readonly docker: Docker;
  readonly log: Log;
  /** Written on the network, so that two clusters on one engine do not take each other's. */
  readonly owner: string;
  /** Name of the engine's network; `barge` where absent. */
  readonly networkName?: string | undefined;
  /** Name of the bridge's interface; `barge0` where absent. 15 characters at most. */
  readonly interfaceName?: string | undefined;
}

export const bridgeDefaults = { networkName: 'barge', interfaceName: 'barge0' } as const;

const ownerLabel = 'barge.dev/owner';

/**
 * BridgeOverlay gives one node's pods their network: a bridge of the engine's own on the node's pod addresses. It reaches
 * no other node; where there are several, another overlay takes its place.
 */
export class BridgeOverlay implements Overlay {
  readonly name = 'bridge';
  readonly overheadBytes = 0;
  readonly #options: BridgeOptions;
  readonly #networkName: string;
  readonly #interfaceName: string;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#networkName = options.networkName ?? bridgeDefaults.networkName;
    this.#interfaceName = options.interfaceName ?? bridgeDefaults.interfaceName;
  }

  /** The network as it stands is kept when it is right; a wrong one of ours is replaced unless containers use it. */
  async prepare({ podCidr }: Self): Promise<{ readonly gatewayIp: string }> {
    const { cidr, gatewayIp } = parseSubnet(podCidr);
    const found = await this.#find();
    if (found !== undefined) {
      if (!this.#isOurs(found)) {
        throw new Error(`the engine has a network ${this.#networkName} that belongs to another cluster or program; remove it, or stop that cluster`);
      }
      const [config] = found.IPAM?.Config ?? [];
      if (config?.['Subnet'] === cidr && config['Gateway'] === gatewayIp && found.Options?.['com.docker.network.bridge.name'] === this.#interfaceName) return { gatewayIp };
      await this.#replaceable(found, cidr);
      await this.#options.docker.getNetwork(found.Id).remove();
      this.#options.log.info('the pod network changes', { from: config?.['Subnet'], to: cidr });
    }
    await this.#options.docker.createNetwork({
      Name: this.#networkName, CheckDuplicate: true, Driver: 'bridge',
      IPAM: { Driver: 'default', Config: [{ Subnet: cidr, Gateway: gatewayIp }] },
      Options: {
        'com.docker.network.bridge.name': this.#interfaceName,
        'com.docker.network.bridge.enable_icc': 'true',
        'com.docker.network.bridge.enable_ip_masquerade': 'true',
      },
      Labels: { [ownerLabel]: this.#options.owner },
    });
    return { gatewayIp };
  }

  /** A bridge reaches nobody else; peers mean that the wrong overlay was chosen, which is said and is no error of theirs. */
  async apply(peers: readonly Peer[]): Promise<void> {
    if (peers.length > 0) this.#options.log.warn('pods of other nodes cannot be reached over a bridge', { nodes: peers.map(({ nodeName }) => nodeName) });
  }

  /** Removes the network if it is ours. Fails while containers use it. */
  async remove(): Promise<void> {
    const found = await this.#find();
    if (found === undefined || !this.#isOurs(found)) return;
    await this.#options.docker.getNetwork(found.Id).remove();
  }

  /** True when the engine's network of this name belongs to another cluster or program, and with it the node's rules. */
  async isAnothers(): Promise<boolean> {
    const found = await this.#find();
    return found !== undefined && !this.#isOurs(found);
  }

  #isOurs(found: Docker.NetworkInspectInfo): boolean {
    return found.Labels?.[ownerLabel] === this.#options.owner;
  }

  async #find(): Promise<Docker.NetworkInspectInfo | undefined> {
    // The engine's filter matches parts of names.
    const networks = await this.#options.docker.listNetworks({ filters: { name: [this.#networkName] } });
    return networks.find(({ Name }) => Name === this.#networkName);
  }

  async #replaceable(found: Docker.NetworkInspectInfo, cidr: string): Promise<void> {
    const inspected = await this.#options.docker.getNetwork(found.Id).inspect() as Docker.NetworkInspectInfo;
    const users = Object.values(inspected.Containers ?? {}).map(({ Name }) => Name);
    if (users.length > 0) {
      throw new Error(`the pod network must change to ${cidr}, but ${users.length} containers use the old one (${users.slice(0, 3).join(', ')}${users.length > 3 ? ', ...' : ''}); remove them first`);
    }
  }
}
