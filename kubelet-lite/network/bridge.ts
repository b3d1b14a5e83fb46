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
const nameOption = 'com.docker.network.bridge.name';
const gatewayModeOption = 'com.docker.network.bridge.gateway_mode_ipv4';
const mtuOption = 'com.docker.network.driver.mtu';

/**
 * BridgeOverlay gives one node's pods their network: a bridge of the engine's own on the node's pod addresses. It reaches
 * no other node: VxlanOverlay adds that, where barge runs as root.
 */
export class BridgeOverlay implements Overlay {
  readonly name = 'bridge';
  readonly overheadBytes = 0;
  readonly #options: BridgeOptions;
  readonly #networkName: string;
  readonly #interfaceName: string;
  #said = '';

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#networkName = options.networkName ?? bridgeDefaults.networkName;
    this.#interfaceName = options.interfaceName ?? bridgeDefaults.interfaceName;
  }

  /**
   * The network as it stands is kept when it is right; a wrong one of ours is replaced unless containers use it. With them one
   * of other addresses is an error, and one with another size of packets goes on as it is.
   */
  async prepare({ podCidr }: Self, mtuBytes?: number): Promise<{ readonly gatewayIp: string }> {
    const { cidr, gatewayIp } = parseSubnet(podCidr);
    const options = this.#networkOptions(mtuBytes);
    const found = await this.#find();
    if (found !== undefined) {
      if (!this.#isOurs(found)) {
        throw new Error(`the engine has a network ${this.#networkName} that belongs to another cluster or program; remove it, or stop that cluster`);
      }
      const [config] = found.IPAM?.Config ?? [];
      const rightPlace = config?.['Subnet'] === cidr && config['Gateway'] === gatewayIp && found.Options?.[nameOption] === this.#interfaceName;
      if (rightPlace && [mtuOption, gatewayModeOption].every((name) => found.Options?.[name] === options[name])) return { gatewayIp };
      const users = await this.#usersOf(found);
      if (users.length > 0) {
        if (rightPlace) return { gatewayIp };
        throw new Error(`the pod network must change to ${cidr}, but ${users.length} containers use the old one (${users.slice(0, 3).join(', ')}${users.length > 3 ? ', ...' : ''}); remove them first`);
      }
      await this.#options.docker.getNetwork(found.Id).remove();
      this.#options.log.info('the pod network changes', { from: config?.['Subnet'], to: cidr, mtuBytes });
    }
    await this.#options.docker.createNetwork({
      Name: this.#networkName, CheckDuplicate: true, Driver: 'bridge',
      IPAM: { Driver: 'default', Config: [{ Subnet: cidr, Gateway: gatewayIp }] },
      Options: options,
      Labels: { [ownerLabel]: this.#options.owner },
    });
    return { gatewayIp };
  }

  /** A bridge reaches nobody else; peers mean that an overlay is missing, which is said once for a list and is no error of theirs. */
  async apply(peers: readonly Peer[]): Promise<void> {
    const nodes = peers.map(({ nodeName }) => nodeName);
    if (peers.length > 0 && nodes.join() !== this.#said) this.#options.log.warn('pods of other nodes cannot be reached over a bridge; an agent that runs as root makes the way to them', { nodes });
    this.#said = nodes.join();
  }

  /** Nothing of it leads to other nodes. */
  async isUndisturbed(): Promise<boolean> {
    return true;
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

  #networkOptions(mtuBytes: number | undefined): Readonly<Record<string, string>> {
    return {
      [nameOption]: this.#interfaceName,
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      // Engines from 28 on otherwise drop what comes to a container by another interface, before any rule of ours; older ones ignore it.
      [gatewayModeOption]: 'nat-unprotected',
      ...(mtuBytes === undefined ? {} : { [mtuOption]: String(mtuBytes) }),
    };
  }

  async #usersOf(found: Docker.NetworkInspectInfo): Promise<readonly string[]> {
    const inspected = await this.#options.docker.getNetwork(found.Id).inspect() as Docker.NetworkInspectInfo;
    return Object.values(inspected.Containers ?? {}).map(({ Name }) => Name);
  }
}
