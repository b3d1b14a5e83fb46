import { sleep, type Clock } from '../base/clock.ts';
import type { LifecycleHandler } from '../schemas/types/probe.ts';
import type { Actions, ActionTarget, Outcome } from './actions.ts';

export interface StopHooksSurroundings {
  readonly clock: Clock;
  readonly actions: Actions;
}

/**
 * The preStop hooks of one pod. A run's hook is carried out once, whoever stops the run: the end of the pod that overtakes
 * a restart waits for the hook that the restart began.
 */
export class StopHooks {
  readonly #s: StopHooksSurroundings;
  readonly #begun = new Map<string, Promise<Outcome>>();

  constructor(surroundings: StopHooksSurroundings) {
    this.#s = surroundings;
  }

  /** Resolves when the hook has ended or the time is over, with the reason of a failure for the caller who began it. */
  async carryOut(hook: LifecycleHandler, target: ActionTarget, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
    const begun = this.#begun.get(target.containerId);
    if (begun === undefined) {
      const work = this.#s.actions.carryOut(hook, target, timeoutMs, signal);
      this.#begun.set(target.containerId, work);
      return work;
    }
    const enough = new AbortController();
    await Promise.race([begun, sleep(this.#s.clock, timeoutMs, AbortSignal.any([signal, enough.signal]))]);
    enough.abort();
    return undefined;
  }
}
