import { readFile } from 'node:fs/promises';
import { CommandFailed, type RunCommand } from '../../base/commands.ts';
import type { Log } from '../../base/log.ts';
import { hasNftChain, nftTableRemoval, runNft } from '../../base/nftables-commands.ts';
import { readKernelNetwork, readLinks, type KernelNetwork } from './kernel-network.ts';
import type { Overlay, Peer, Self } from './overlay.ts';
import { admitNoPods, admitPods, podFirewallScript, podTableName } from './pod-firewall.ts';
import { lineOf, planOverlay, planRemoval, vxlan, type Step } from './vxlan-plan.ts';

/** The bridge of one node's pods; BridgeOverlay is one. */
export interface PodBridge {
  prepare(self: Self, mtuBytes: number | undefined): Promise<{ readonly gatewayIp: string }>;
  remove(): Promise<void>;
}

export interface VxlanOptions {
  readonly bridge: PodBridge;
  /** The bridge's interface. */
  readonly podInterface: string;
  readonly run: RunCommand;
  readonly log: Log;
  /** False to use VXLAN also between nodes of one link. */
  readonly direct: boolean;
  /** The kernel's main table of routes as text, to be compared; `/proc/net/route` where absent. */
  readonly routes?: (() => Promise<string>) | undefined;
}

/** Without the columns that count (references, uses) and those that nobody sets. */
const readRoutes = async (): Promise<string> => (await readFile('/proc/net/route', 'utf8')).split('\n')
  .map((line) => line.split('\t')).map(([device, to, via, flags, _references, _uses, metric, mask]) => [device, to, via, flags, metric, mask].join(' ')).join('\n');

/** Where nothing is known of the link: Ethernet's. */
const usualMtuBytes = 1_500;

/**
 * VxlanOverlay makes the pods of all nodes one flat network, as root: a bridge of the engine's for the node's own pods, and
 * for those of other nodes routes of ours, straight where a node is on the same link and through VXLAN otherwise
 * (vxlan-plan.ts). Packets keep their addresses (pod-firewall.ts). While there is no other node it makes the bridge only.
 */
export class VxlanOverlay implements Overlay {
  readonly name = 'vxlan';
  readonly overheadBytes = vxlan.overheadBytes;
  readonly #options: VxlanOptions;
  #self: Self | undefined;
  /** The routes as the last apply left them. */
  #routes: string | undefined;
  #mtuBytes: number = usualMtuBytes - vxlan.overheadBytes;
  /** The firewall's rules as they were set last; undefined when that is not known. */
  #rules: string | undefined;
  /** What was said last of peers that are left out. */
  #said = '';

  constructor(options: VxlanOptions) {
    this.#options = options;
  }

  async prepare(self: Self): Promise<{ readonly gatewayIp: string }> {
    const linkMtuBytes = await this.#linkMtuBytes(self.nodeIp);
    this.#self = self;
    this.#mtuBytes = (linkMtuBytes ?? usualMtuBytes) - vxlan.overheadBytes;
    return this.#options.bridge.prepare(self, linkMtuBytes === undefined ? undefined : this.#mtuBytes);
  }

  async apply(peers: readonly Peer[]): Promise<void> {
    this.#routes = undefined;
    await this.#apply(peers);
    this.#routes = await this.#readRoutes();
  }

  async isUndisturbed(): Promise<boolean> {
    return this.#routes !== undefined && await this.#readRoutes() === this.#routes;
  }

  #readRoutes(): Promise<string | undefined> {
    return (this.#options.routes ?? readRoutes)().catch(() => undefined);
  }

  async #apply(peers: readonly Peer[]): Promise<void> {
    const self = this.#self;
    if (self === undefined) throw new Error('the pod network is told of other nodes before it is prepared');
    const kernel = await this.#kernel();
    if (kernel === undefined) {
      if (peers.length > 0) throw new Error("pods of other nodes cannot be reached: this machine has no 'ip' program; install iproute2");
      return;
    }
    const { steps, reached, refused } = planOverlay({ self, peers, mtuBytes: this.#mtuBytes, direct: this.#options.direct }, kernel);
    this.#say(refused);
    if (reached.length > 0) await this.#setRules(self, reached);
    else if (await this.#rulesStand()) await this.#takeRulesAway();
    await this.#carryOut(steps);
    if (steps.length > 0) this.#options.log.info('the way to the pods of other nodes is set', { nodes: reached.map(({ nodeName }) => nodeName), steps: steps.length });
  }

  async remove(): Promise<void> {
    const kernel = await this.#kernel();
    if (kernel !== undefined) {
      await this.#carryOut(planRemoval(kernel));
      await this.#takeRulesAway();
    }
    await this.#options.bridge.remove();
  }

  /** Undefined where the machine cannot say. */
  async #kernel(): Promise<KernelNetwork | undefined> {
    try {
      return await readKernelNetwork(this.#options.run, vxlan.device);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Of the link that has the node's address; undefined for loopback and where nobody can say. */
  async #linkMtuBytes(nodeIp: string): Promise<number | undefined> {
    try {
      const links = await readLinks(this.#options.run);
      return links.find(({ name, addresses }) => name !== 'lo' && addresses.some((one) => one.startsWith(`${nodeIp}/`)))?.mtuBytes;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** All steps are tried; the first that failed is thrown. */
  async #carryOut(steps: readonly Step[]): Promise<void> {
    let failure: CommandFailed | undefined;
    const lines = steps.map(lineOf);
    for (let from = 0; from < lines.length;) {
      const { program } = lines[from]!;
      let to = from;
      while (to < lines.length && lines[to]!.program === program) to++;
      const batch = lines.slice(from, to).map(({ line }) => line);
      const result = await this.#options.run(program, ['-force', '-batch', '-'], `${batch.join('\n')}\n`);
      if (result.code !== 0) failure ??= new CommandFailed(`${program} (${batch.slice(0, 5).join('; ')}${batch.length > 5 ? '; ...' : ''})`, result);
      from = to;
    }
    if (failure !== undefined) throw failure;
  }

  async #setRules(self: Self, peers: readonly Peer[]): Promise<void> {
    const { run, podInterface } = this.#options;
    const rules = podFirewallScript({ self, peers, podInterface });
    if (rules !== this.#rules || !await this.#rulesStand()) await runNft(this.#options.run, rules);
    this.#rules = rules;
    const admitted = await run('sh', ['-c', admitPods, 'sh', podInterface]);
    if (admitted.code !== 0) throw new CommandFailed("letting pods of other nodes pass Docker's firewall", admitted);
  }

  async #takeRulesAway(): Promise<void> {
    this.#rules = undefined;
    if (await this.#rulesStand()) await runNft(this.#options.run, nftTableRemoval(podTableName));
    const { run, podInterface } = this.#options;
    const taken = await run('sh', ['-c', admitNoPods, 'sh', podInterface]);
    if (taken.code !== 0) throw new CommandFailed("taking the pods' rule out of Docker's firewall", taken);
  }

  async #rulesStand(): Promise<boolean> {
    try {
      return await hasNftChain(this.#options.run, podTableName, 'postrouting');
    } catch (error) {
      // Without the program there can be no rules of it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  #say(refused: readonly { readonly nodeName: string; readonly why: string }[]): void {
    const words = JSON.stringify(refused);
    if (words !== this.#said && refused.length > 0) this.#options.log.warn('pods of some nodes cannot be reached', { refused });
    this.#said = words;
  }
}
