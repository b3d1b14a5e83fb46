/**
 * Looks at what the machine and its containers use, every fifteen seconds and when somebody asks who wants it newer. A
 * look reads three small files a container; nothing is kept but the last sample of each and the rate that led to it.
 */
import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ContainerStats, StatsSample } from '../runtime/runtime.ts';
import { usageAfter, type ContainerUsage, type NodeUsage, type RunningContainer, type Usage } from './usage.ts';

export interface UsageSamplerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly stats: Pick<ContainerStats, 'stats'> & { machineStats(): Promise<StatsSample> };
  /** The containers that run now, as far as the agent knows. */
  readonly running: () => readonly RunningContainer[];
}

/** As long as metrics-server's. */
export const sampleEveryMs = 15_000;
/** The second look comes soon: before it there is no rate. */
const secondAfterMs = 2_000;
/** Who asks gets nothing that is older. */
const freshMs = 5_000;

export class UsageSampler {
  readonly #options: UsageSamplerOptions;
  #containers: ReadonlyMap<string, ContainerUsage> = new Map();
  #node: Usage | undefined;
  #startedAtMs: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: UsageSamplerOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.now();
  }

  /** Looks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#startedAtMs = this.#options.clock.now();
    for (let waitMs = secondAfterMs; !signal.aborted; waitMs = sampleEveryMs) {
      await this.#look();
      await sleep(this.#options.clock, waitMs, signal);
    }
  }

  /** What is used now, or was a few seconds ago. */
  async usage(): Promise<NodeUsage> {
    if (this.#options.clock.now() - this.#lookedAtMs > freshMs) await this.#look();
    return { node: this.#node, containers: [...this.#containers.values()] };
  }

  /** Those who want a look at the same time share one. */
  #look(): Promise<void> {
    return this.#looking ??= this.#lookAround().finally(() => { this.#looking = undefined; });
  }

  async #lookAround(): Promise<void> {
    const { clock, log, stats, running } = this.#options;
    const containers = new Map<string, ContainerUsage>();
    for (const container of running()) {
      try {
        const sample = await stats.stats(container.id);
        // Of one that started under our eyes we know that it had used nothing then.
        const bornAtMs = container.startedAtMs >= this.#startedAtMs ? container.startedAtMs : undefined;
        containers.set(container.id, { ...container, ...usageAfter(this.#containers.get(container.id), sample, bornAtMs) });
      } catch (error) {
        log.debug('a container cannot be measured', { container: container.id, error });
      }
    }
    try {
      this.#node = usageAfter(this.#node, await stats.machineStats(), undefined);
    } catch (error) {
      log.debug('the machine cannot be measured', { error });
    }
    this.#containers = containers;
    this.#lookedAtMs = clock.now();
  }
}
