import type { Clock } from '../../base/clock.ts';
import type { Transport, WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';

export interface FlakyOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Chance that a request is not sent, or that its answer is lost. */
  readonly lose: number;
  /** Chance, for each batch of a watch, that the watch breaks off, ends, comes late, comes twice or comes apart. */
  readonly disturb: number;
}

/**
 * A transport with a bad network: it loses requests and answers, cuts watches (also within a batch), delays and doubles
 * what they bring. What it does follows from the seed of `random`.
 */
export const flakyTransport = (inner: Transport, { clock, random, lose, disturb }: FlakyOptions): Transport => ({
  send: async (request, signal) => {
    if (random() < lose) throw new ApiError('ServiceUnavailable', 'the request was lost');
    const answer = await inner.send(request, signal);
    if (random() < lose) throw new ApiError('ServiceUnavailable', 'the answer was lost');
    return answer;
  },
  watch: async function* (request, signal) {
    let last: readonly WatchEvent[] = [];
    for await (const events of inner.watch(request, signal)) {
      const fault = random() < disturb ? Math.floor(random() * 5) : -1;
      if (fault === 0) {
        // Some of the batch arrived before the break.
        yield events.slice(0, Math.floor(random() * events.length));
        throw new ApiError('ServiceUnavailable', 'the connection was cut');
      }
      if (fault === 1) return;
      if (fault === 2) await new Promise<void>((resolve) => void clock.after(random() * 5_000, resolve));
      if (fault === 3 && last.length > 0) yield last;
      if (fault === 4) for (const event of events) yield [event];
      else yield events;
      last = events;
    }
  },
});
