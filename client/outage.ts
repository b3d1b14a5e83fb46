/**
 * A server that does not answer is told once for all who ask it over one transport, when that begins and when it is over. Who meets
 * it says no more of it than at debug: an agent has a dozen informers, and each tries again every few seconds.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { ApiError } from '../schemas/errors.ts';

/** No answer was begun. */
export class Unreachable extends ApiError {
  /** Whether it belongs to an outage that the log tells of. */
  readonly told: boolean;

  constructor(message: string, { cause, told }: { readonly cause: unknown; readonly told: boolean }) {
    super('ServiceUnavailable', message, undefined, { cause });
    this.told = told;
  }
}

/** An answer that was begun did not come to its end, as happens to a stream whose server is stopped. */
export class BrokenOff extends ApiError {
  constructor(message: string, cause: unknown) {
    super('ServiceUnavailable', message, undefined, { cause });
  }
}

export class Outage {
  readonly #s: { readonly clock: Clock; readonly log: Log };
  #since: number | undefined;
  #answeredAtMs = -Infinity;

  constructor(surroundings: { readonly clock: Clock; readonly log: Log }) {
    this.#s = surroundings;
  }

  /** A server has begun an answer, whatever it says. */
  answered(server: string): void {
    const nowMs = this.#s.clock.now();
    this.#answeredAtMs = nowMs;
    if (this.#since === undefined) return;
    this.#s.log.info('the API server answers again', { server, awayMs: nowMs - this.#since });
    this.#since = undefined;
  }

  /** There was no connection to the server. */
  unreachable(server: string, why: string): void {
    if (this.#since !== undefined) return;
    this.#since = this.#s.clock.now();
    this.#s.log.warn('the API server does not answer; all that needs it tries again until it does', { server, why });
  }

  /** A request got no answer in its time; false where others did meanwhile, so that it is the request's own trouble. */
  late(server: string, why: string, limitMs: number): boolean {
    if (this.#since === undefined && this.#answeredAtMs > this.#s.clock.now() - limitMs) return false;
    this.unreachable(server, why);
    return true;
  }
}

/** True for what the log has told already, as an outage. */
const isTold = (error: unknown): error is Unreachable => error instanceof Unreachable && error.told;

/** Warns of something that is tried again, with its error; at debug, and without a stack, where the log tells of an outage already. */
export const warnOfFailure = (log: Log, message: string, { error, ...fields }: Readonly<Record<string, unknown>> & { readonly error: unknown }): void => {
  if (isTold(error)) log.debug(message, { ...fields, error: error.message });
  else log.warn(message, { ...fields, error });
};
