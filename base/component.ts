import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Transport } from '../schemas/api.ts';

/**
 * Component is a part of barge that runs on its own: a set of controllers, the scheduler, an agent, a proxy.
 * `run` calls ready once, when the component does its work, and resolves soon after the signal aborts; it rejects only
 * when the component cannot go on at all.
 */
export interface Component {
  readonly name: string;
  /** Names of components that must be ready before this one is started, where they run in the same process. */
  readonly after: readonly string[];
  run(signal: AbortSignal, ready: () => void): Promise<void>;
}

/** What every component is given from outside. */
export interface Surroundings {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
  /** Where the component counts what it does; nothing is counted where absent. */
  readonly metrics?: Metrics | undefined;
}
