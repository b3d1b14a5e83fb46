import { sleep } from '../base/clock.ts';
import type { Component, Surroundings } from '../base/component.ts';
import { ClusterWithdrawal } from './cluster-withdrawal.ts';
import { WithdrawalSocket } from './withdrawal-socket.ts';
import type { Withdrawal, WithdrawalState } from './withdrawal.ts';

export interface SharedWithdrawalOptions {
  /** Of this node's proxy. */
  readonly local: Withdrawal & WithdrawalState;
  /** Where the other nodes listen; looked at for each pod that ends. */
  readonly peers: () => readonly string[];
  /** Where to listen; it may wait for the pods' bridge. */
  readonly listen: () => Promise<{ readonly host: string; readonly port: number }>;
}

const retryMs = 1_000;

/** Answers other nodes about this one's service table, and lets the agent wait for theirs. It may be waited on before it runs. */
export const createSharedWithdrawal = ({ clock, log }: Surroundings, { local, peers, listen }: SharedWithdrawalOptions): Component & { readonly withdrawal: Withdrawal } => {
  const socket = new WithdrawalSocket({ state: local, clock });
  return {
    name: 'withdrawal', after: [],
    withdrawal: new ClusterWithdrawal({ local, peers, ask: socket.ask, clock }),
    run: async (signal, ready) => {
      const aborted = new Promise<undefined>((resolve) => {
        if (signal.aborted) resolve(undefined);
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
      });
      let told: string | undefined;
      while (!signal.aborted) {
        try {
          const address = await Promise.race([listen(), aborted]);
          if (address === undefined) break;
          const { failed } = await socket.listen(address);
          ready();
          const error = await Promise.race([failed, aborted]);
          if (error !== undefined) throw error;
        } catch (error) {
          if (signal.aborted) break;
          const why = error instanceof Error ? error.message : String(error);
          // Trying goes on; the same words every second would help nobody.
          if (why !== told) log.error('cannot answer other nodes about pods that end; trying again', { why });
          told = why;
          await sleep(clock, retryMs, signal);
        } finally {
          socket.close();
        }
      }
    },
  };
};
