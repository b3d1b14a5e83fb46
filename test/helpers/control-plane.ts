import { createControllersComponent, type ControllersOptions } from '../../controllers/component.ts';
import { silentLog } from '../../base/log.ts';
import type { Transport, UserInfo } from '../../schemas/api.ts';
import { settle, type FakeClock } from './fake-clock.ts';
import { seededRandom, type TestApi } from './api.ts';

/** Who the controllers are in a cluster; with the built-in authorizer they may do what their grant says and no more. */
export const controllersUser: UserInfo = { name: 'system:barge:controllers', groups: ['system:authenticated'] };

export interface RunningControllers {
  /** Ends the component as SIGTERM would; what is under way is given up. */
  stop(): Promise<void>;
}

/** Starts all controllers against a test API and waits until they are ready. */
export const startControllers = async (api: TestApi, options: Partial<ControllersOptions> & { readonly transport?: Transport; readonly seed?: number } = {}): Promise<RunningControllers> => {
  const { transport = api.core.as(controllersUser), seed = 7, ...rest } = options;
  const stop = new AbortController();
  const component = createControllersComponent({ transport, clock: api.clock, log: silentLog, random: seededRandom(seed) }, { registry: api.registry, clusterCidr: '10.244.0.0/16', rootCa: 'the CA', ...rest });
  let isReady = false;
  const run = component.run(stop.signal, () => void (isReady = true));
  await until(api.clock, () => {
    if (!isReady) throw new Error('the controllers are not ready');
  });
  return {
    stop: async () => {
      stop.abort();
      await run;
    },
  };
};

/**
 * Lets the cluster work until the assertion passes: first without moving the clock, then in small steps of it. Throws
 * the assertion's last error when the given time of the clock is over.
 */
export const until = async <T>(clock: FakeClock, assertion: () => T | Promise<T>, forMs = 20_000): Promise<T> => {
  const endMs = clock.now() + forMs;
  for (let turn = 0; ; turn++) {
    try {
      return await assertion();
    } catch (error) {
      if (turn < 25) await settle(4);
      else if (clock.now() >= endMs) throw error;
      else await clock.advance(250);
    }
  }
};

/** Lets everything that is under way without the clock come to its end. */
export const rest = async (turns = 12): Promise<void> => {
  for (let turn = 0; turn < turns; turn++) await settle(8);
};
