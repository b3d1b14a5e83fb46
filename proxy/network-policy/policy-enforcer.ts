import type { RunCommand } from '../../base/commands.ts';
import { InTurn } from '../../base/in-turn.ts';
import type { Log } from '../../base/log.ts';
import { hasNftChain, nftTableRemoval, runNft } from '../../base/nftables-commands.ts';
import { policyScript, policyTableName } from './policy-rules.ts';
import { noPolicies, type PolicyTable } from './policy-table.ts';

/** Makes the kernel hold pods to what a table allows. Every call is given the whole; calls are carried out in turn. */
export interface PolicyEnforcer {
  readonly name: string;
  apply(table: PolicyTable): Promise<void>;
  /** Takes away all that it made. */
  remove(): Promise<void>;
}

export interface NftablesPoliciesOptions {
  readonly run: RunCommand;
  readonly log: Log;
  /** The bridge on which this node's pods are. */
  readonly podInterface: string;
}

/** Prints 1 where packets between two pods of the bridge pass the rules of IP. The proxy sees to it where the kernel can. */
const isFiltered = 'cat "/sys/class/net/$1/bridge/nf_call_iptables" /proc/sys/net/bridge/bridge-nf-call-iptables 2> /dev/null | sort | tail -n 1';

const isEmpty = ({ pods }: PolicyTable): boolean => pods.ingress.size === 0 && pods.egress.size === 0;

/** Policies as rules of the kernel, as root: one table of its own (`ip barge-policy`), which is there only while a pod is isolated. */
export class NftablesPolicies implements PolicyEnforcer {
  readonly name = 'nftables';
  readonly #options: NftablesPoliciesOptions;
  /** What stands in the kernel; undefined when that is not known. */
  #applied: PolicyTable | undefined;
  readonly #turns = new InTurn();
  #toldOfBridge = false;

  constructor(options: NftablesPoliciesOptions) {
    this.#options = options;
  }

  apply(table: PolicyTable): Promise<void> {
    return this.#turns.run(() => this.#apply(table));
  }

  remove(): Promise<void> {
    return this.#turns.run(() => this.#clear());
  }

  async #apply(table: PolicyTable): Promise<void> {
    if (isEmpty(table)) {
      if (this.#applied === undefined || !isEmpty(this.#applied)) await this.#clear();
      this.#applied = noPolicies;
      return;
    }
    const before = this.#applied === undefined || isEmpty(this.#applied) ? undefined : this.#applied;
    const script = policyScript(before, table);
    this.#applied = undefined;
    // Nothing to do is the time to look whether everything still stands: somebody may have flushed the rules.
    if (script === '' ? !await this.#stands() : !await this.#takes(script, before !== undefined)) await this.#nft(policyScript(undefined, table));
    this.#applied = table;
    if (script === '') await this.#lookAtBridge();
  }

  async #lookAtBridge(): Promise<void> {
    const { run, log, podInterface } = this.#options;
    if (this.#toldOfBridge || (await run('sh', ['-c', isFiltered, 'sh', podInterface])).stdout.trim() === '1') return;
    this.#toldOfBridge = true;
    log.error('network policies do not hold between pods of this node: the kernel does not filter bridged packets (the module br_netfilter is missing)', { bridge: podInterface });
  }

  /** False where a change does not fit what stands: it is not what we left there. A transaction that fails changes nothing. */
  async #takes(script: string, isChange: boolean): Promise<boolean> {
    try {
      await this.#nft(script);
      return true;
    } catch (error) {
      if (!isChange) throw error;
      this.#options.log.warn('cannot change the rules of network policies; setting them all anew', { error });
      return false;
    }
  }

  #stands(): Promise<boolean> {
    return hasNftChain(this.#options.run, policyTableName, 'forward');
  }

  async #clear(): Promise<void> {
    this.#applied = undefined;
    await this.#nft(nftTableRemoval(policyTableName));
  }

  #nft(script: string): Promise<void> {
    return runNft(this.#options.run, script);
  }
}

/** Where rules of the kernel are not this process' to make: policies hold nobody, which is said once. */
export const unenforcedPolicies = (log: Log): PolicyEnforcer => {
  let told = false;
  return {
    name: 'none',
    apply: async (table) => {
      if (told || isEmpty(table)) return;
      told = true;
      log.warn('network policies are not enforced on this node: its agent does not run as root', { pods: [...new Set([...table.pods.ingress.keys(), ...table.pods.egress.keys()])] });
    },
    remove: async () => undefined,
  };
};
