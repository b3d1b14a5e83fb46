/**
 * ClusterWithdrawal waits until no node sends new connections to a pod: first this node, whose table it sees, then all others,
 * which are asked by datagrams until each has said yes. Costs two small datagrams for each node and pod that ends, and nothing
 * is written anywhere. A node that does not answer at all is waited for once, to the end of the wait; after that only for a
 * moment, until it answers again. So a lost node holds up one pod of each node, and no more.
 */
import { sleep, type Clock } from '../base/clock.ts';
import type { Withdrawal, WithdrawalState } from './withdrawal.ts';

/** One question to one node: its answer, or undefined where none came in time. */
export type AskWithdrawal = (peer: string, question: { readonly podIp: string; readonly revision: number }, signal: AbortSignal) => Promise<boolean | undefined>;

export interface ClusterWithdrawalOptions {
  readonly local: Withdrawal & Pick<WithdrawalState, 'revision'>;
  /** Where the other nodes' proxies are asked; looked at anew for each pod. */
  readonly peers: () => readonly string[];
  readonly ask: AskWithdrawal;
  readonly clock: Clock;
}

export const withdrawalTimes = {
  /** From a no to the next question. */
  againMs: 50,
  /** How often a node that was silent the last time is asked. */
  triesOfSilent: 2,
  /** So many questions without an answer make a node silent; a wait that is cut short says nothing. */
  triesUntilSilent: 5,
} as const;

export class ClusterWithdrawal implements Withdrawal {
  readonly #options: ClusterWithdrawalOptions;
  /** Nodes that did not answer until the end of a wait, and not since. */
  readonly #silent = new Set<string>();

  constructor(options: ClusterWithdrawalOptions) {
    this.#options = options;
  }

  async withdrawn(podIp: string, signal: AbortSignal): Promise<void> {
    const { local, peers } = this.#options;
    await local.withdrawn(podIp, signal);
    if (signal.aborted) return;
    const now = peers();
    for (const peer of this.#silent) if (!now.includes(peer)) this.#silent.delete(peer);
    const question = { podIp, revision: local.revision };
    await Promise.all(now.map((peer) => this.#goneFrom(peer, question, signal)));
  }

  async #goneFrom(peer: string, question: { readonly podIp: string; readonly revision: number }, signal: AbortSignal): Promise<void> {
    const { ask, clock } = this.#options;
    for (let unanswered = 0; !signal.aborted;) {
      const gone = await ask(peer, question, signal);
      if (gone !== undefined) {
        unanswered = 0;
        this.#silent.delete(peer);
      } else if (!signal.aborted) unanswered++;
      if (gone === true || (this.#silent.has(peer) && unanswered >= withdrawalTimes.triesOfSilent)) return;
      if (gone === false) await sleep(clock, withdrawalTimes.againMs, signal);
      if (signal.aborted && unanswered >= withdrawalTimes.triesUntilSilent) this.#silent.add(peer);
    }
  }
}
