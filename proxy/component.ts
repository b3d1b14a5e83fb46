import { sleep } from '../base/clock.ts';
import type { Component, Surroundings } from '../base/component.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informers.ts';
import { EndpointSlice } from '../schemas/kinds/discovery/endpoint-slice.ts';
import { Service } from '../schemas/kinds/core/service.ts';
import type { ProxyBackend, ServiceTable } from './backend.ts';
import { serviceTable, steadyAddresses } from './table.ts';
import { WithdrawalBoard } from './withdrawal-board.ts';
import type { Withdrawal } from './withdrawal.ts';

export interface ProxyOptions {
  readonly nodeName: string;
  readonly backend: ProxyBackend;
}

/** The whole table is given to the backend again this often, so that it repairs what others broke. */
const resyncMs = 60_000;
/** Wait after a failed apply, doubling up to the longest. */
const retry = { firstMs: 200, longestMs: 30_000 } as const;

/**
 * The service proxy of a node: follows services and endpoint slices and has the backend apply the table. A change is
 * applied at once when nothing is under way, and changes during an apply make one next apply.
 */
export const createProxyComponent = (surroundings: Surroundings, { nodeName, backend }: ProxyOptions): Component & { readonly withdrawal: Withdrawal } => {
  const { clock, log } = surroundings;
  const informers = createInformers({ client: createClient(surroundings.transport), clock, log, random: surroundings.random });
  const services = informers.informer(Service);
  const slices = informers.informer(EndpointSlice);
  const board = new WithdrawalBoard(clock);
  const table = (): ServiceTable => serviceTable({ services: services.list(), slices: slices.list(), nodeName });

  /** Applies until the signal aborts, one apply at a time. */
  const follow = async (signal: AbortSignal, ready: () => void): Promise<void> => {
    let dirty = true;
    let wake = (): void => undefined;
    const changed = (): void => {
      dirty = true;
      wake();
    };
    const ends = [services, slices].map((informer) => informer.on({ added: changed, updated: changed, deleted: changed }));
    signal.addEventListener('abort', () => wake(), { once: true });
    let failures = 0;
    let told = false;
    const once = (): void => {
      if (!told) ready();
      told = true;
    };
    while (!signal.aborted) {
      if (dirty) {
        dirty = false;
        const wanted = table();
        const steady = steadyAddresses(slices.list());
        board.applying(steady);
        try {
          await backend.apply(wanted);
          failures = 0;
          board.applied(steady);
          once();
        } catch (error) {
          dirty = true;
          log.error('cannot apply the service table; trying again', { backend: backend.name, error });
          const waitMs = Math.min(retry.longestMs, retry.firstMs * 2 ** failures++);
          await sleep(clock, waitMs, signal);
        }
      } else {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(resyncMs, changed);
          wake = () => {
            cancel();
            resolve();
          };
        });
        // Events of one burst come in one turn; they make one table.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    for (const end of ends) end();
  };

  return {
    name: 'proxy', after: [],
    withdrawal: board,
    run: async (signal, ready) => {
      const running = informers.run(signal);
      try {
        await informers.whenSynced(signal);
        await follow(signal, ready);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      await running;
    },
  };
};
