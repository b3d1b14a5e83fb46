/**
 * NftablesBackend makes services work in the kernel, as root: one table of its own (`ip barge`), changed by small
 * transactions; a route, so that this machine can address services without a default route; two switches on the pods'
 * bridge; and, where Docker's firewall drops what it does not know, one rule in the chain that Docker leaves to users.
 */
import { CommandFailed, type RunCommand } from '../base/commands.ts';
import { InTurn } from '../base/in-turn.ts';
import type { Log } from '../base/log.ts';
import { hasNftChain, nftTableRemoval, runNft } from '../base/nftables-commands.ts';
import type { ProxyBackend, ServiceTable } from './backend.ts';
import { baseScript, changeScript, tableName } from './nftables-rules.ts';
import { staleFlows } from './udp-flows.ts';

export interface NftablesOptions {
  readonly run: RunCommand;
  readonly serviceCidr: string;
  /** The bridge on which this node's pods are; it may come later. */
  readonly podInterface: string;
  readonly log: Log;
}

/** Marks our route among others (`ip route show proto 98`). */
const routeProtocol = '98';

/**
 * Lets packets between this machine's loopback address and pods pass (node ports at 127.0.0.1; the table's guard keeps
 * pods from loopback), has bridged replies tracked, and lets what a service redirected to pods pass Docker's firewall.
 * Prints `bridge` when the bridge is there and `tracked` when replies on it are tracked.
 */
const prepareSystem = `
bridge=$1; cidr=$2; protocol=$3
if [ ! -d /proc/sys/net/bridge ]; then modprobe -q br_netfilter 2> /dev/null; fi
ip route replace "$cidr" dev lo proto "$protocol" || exit 1
if [ -d "/proc/sys/net/ipv4/conf/$bridge" ]; then
  echo bridge
  echo 1 > "/proc/sys/net/ipv4/conf/$bridge/route_localnet"
  ip link set dev "$bridge" type bridge nf_call_iptables 1
fi 2> /dev/null
if [ -d /proc/sys/net/bridge ]; then
  if { ip -details link show dev "$bridge" | grep -q 'nf_call_iptables 1' || grep -q 1 /proc/sys/net/bridge/bridge-nf-call-iptables; } 2> /dev/null; then echo tracked; fi
fi
if command -v iptables > /dev/null && iptables -w -n -L DOCKER-USER > /dev/null 2>&1; then
  set -- -o "$bridge" -m conntrack --ctstate DNAT -m comment --comment 'barge services' -j ACCEPT
  iptables -w -C DOCKER-USER "$@" 2> /dev/null || iptables -w -I DOCKER-USER "$@" || exit 1
fi
exit 0`;

/**
 * Lets a frame leave by the port it came in by: with bridged packets tracked, the kernel turns a pod's call of its own
 * service into such a frame. By netlink: /sys shows the links of the network namespace that it was mounted in.
 */
const hairpinOn = (port: string): string => `link set dev ${port} type bridge_slave hairpin on\n`;

/** The ports of a bridge, by number and name, as `ip -oneline link show master BRIDGE` lists them: `7: veth1@if6: <...>`. */
const portsIn = (list: string): ReadonlyMap<string, string> => new Map([...list.matchAll(/^(\d+): ([^:@\s]+)/gm)].map(([, number = '', name = '']) => [`${number} ${name}`, name]));

const removeSystem = `
bridge=$1; cidr=$2; protocol=$3
ip route del "$cidr" dev lo proto "$protocol" 2> /dev/null
[ -d "/proc/sys/net/ipv4/conf/$bridge" ] && echo 0 > "/proc/sys/net/ipv4/conf/$bridge/route_localnet"
if command -v iptables > /dev/null && iptables -w -n -L DOCKER-USER > /dev/null 2>&1; then
  set -- -o "$bridge" -m conntrack --ctstate DNAT -m comment --comment 'barge services' -j ACCEPT
  while iptables -w -D DOCKER-USER "$@" 2> /dev/null; do :; done
fi
exit 0`;

const empty: ServiceTable = new Map();

const addressesOf = (table: ServiceTable): ReadonlySet<string> => new Set([...table.values()].flatMap(({ endpoints }) => endpoints.map(({ ip }) => ip)));

/** True when there is an endpoint, and so perhaps a port of the bridge, that was not there before. */
const addsAddress = (before: ServiceTable | undefined, after: ServiceTable): boolean => {
  const known = addressesOf(before ?? empty);
  return [...addressesOf(after)].some((ip) => !known.has(ip));
};

export class NftablesBackend implements ProxyBackend {
  readonly name = 'nftables';
  readonly #options: NftablesOptions;
  /** What stands in the kernel; undefined when that is not known. */
  #applied: ServiceTable | undefined;
  #tracked = true;
  #bridgeSeen = false;
  /** Ports of the bridge by which frames may leave that came in by them. */
  #hairpins: ReadonlySet<string> = new Set();
  #conntrackMissing = false;
  readonly #turns = new InTurn();

  constructor(options: NftablesOptions) {
    this.#options = options;
  }

  apply(table: ServiceTable): Promise<void> {
    return this.#turns.run(() => this.#apply(table));
  }

  remove(): Promise<void> {
    return this.#turns.run(async () => {
      this.#applied = undefined;
      this.#bridgeSeen = false;
      await this.#nft(nftTableRemoval(tableName));
      await this.#system(removeSystem);
    });
  }

  async #apply(table: ServiceTable): Promise<void> {
    const before = this.#applied;
    const script = before === undefined ? '' : changeScript(before, table);
    // Nothing to do is the time to look whether everything still stands: somebody may have flushed the rules.
    const stands = before !== undefined && (script !== '' || await this.#stands());
    const wasTracked = this.#tracked;
    if (!stands || !this.#bridgeSeen || script === '') await this.#prepare();
    if (this.#tracked && addsAddress(before, table)) await this.#allowHairpin();
    if (!stands || this.#tracked !== wasTracked) await this.#replaceAll(table);
    else if (script !== '') await this.#change(script, table);
    this.#applied = table;
    if (before !== undefined) await this.#forgetFlows(before, table);
  }

  async #change(script: string, table: ServiceTable): Promise<void> {
    try {
      await this.#nft(script);
    } catch (error) {
      // The kernel's table is not what we left there; a transaction that fails changes nothing.
      this.#options.log.warn('cannot change the service rules; setting them all anew', { error });
      await this.#replaceAll(table);
    }
  }

  /** One transaction: no packet ever sees half of the rules. Connections that stand go on. */
  async #replaceAll(table: ServiceTable): Promise<void> {
    this.#applied = undefined;
    const { serviceCidr, podInterface } = this.#options;
    await this.#nft(baseScript({ serviceCidr, podInterface, masqueradeOnBridge: !this.#tracked }) + changeScript(empty, table));
  }

  async #prepare(): Promise<void> {
    const found = (await this.#system(prepareSystem)).split('\n');
    this.#bridgeSeen = found.includes('bridge');
    this.#tracked = found.includes('tracked');
  }

  /** Ports that cannot be set are gone again, or are looked at once more with the next address. */
  async #allowHairpin(): Promise<void> {
    const { run, podInterface } = this.#options;
    const ports = portsIn((await run('ip', ['-oneline', 'link', 'show', 'master', podInterface])).stdout);
    const fresh = [...ports].filter(([port]) => !this.#hairpins.has(port));
    const set = fresh.length === 0 || (await run('ip', ['-force', '-batch', '-'], fresh.map(([, name]) => hairpinOn(name)).join(''))).code === 0;
    this.#hairpins = new Set(set ? ports.keys() : [...ports.keys()].filter((port) => this.#hairpins.has(port)));
  }

  #stands(): Promise<boolean> {
    return hasNftChain(this.#options.run, tableName, 'dispatch');
  }

  /** Only the `conntrack` program can do it: rules see a flow's packets, and cannot end it. */
  async #forgetFlows(before: ServiceTable, after: ServiceTable): Promise<void> {
    if (this.#conntrackMissing) return;
    for (const flows of staleFlows(before, after)) {
      try {
        // Exit code 1 says that there was no such flow.
        await this.#options.run('conntrack', ['-D', '-p', 'udp', ...flows]);
      } catch (error) {
        this.#conntrackMissing = true;
        this.#options.log.warn('UDP clients that go on sending to an endpoint that is gone are not led to another one until they pause; the program conntrack (package conntrack, or conntrack-tools) would do it', { error });
        return;
      }
    }
  }

  #nft(script: string): Promise<void> {
    return runNft(this.#options.run, script);
  }

  async #system(script: string): Promise<string> {
    const { podInterface, serviceCidr } = this.#options;
    const result = await this.#options.run('sh', ['-c', script, 'sh', podInterface, serviceCidr, routeProtocol]);
    if (result.code !== 0) throw new CommandFailed('preparing the system for services', result);
    return result.stdout;
  }
}
