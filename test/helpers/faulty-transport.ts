import { settle } from './fake-clock.ts';
import type { Transport, WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';

/** How often each fault comes, between 0 and 1. */
export interface Faults {
  /** A request fails before it is done. */
  readonly refuse?: number;
  /** A change is refused as if somebody else had been faster. */
  readonly conflict?: number;
  /** A write is done, but its answer is lost. */
  readonly loseAnswer?: number;
  /** A watch breaks before it delivers a batch, which is lost with it. */
  readonly cutWatch?: number;
  /** A watch ends because the server no longer has the history. */
  readonly expireWatch?: number;
  /** A batch comes late: after some more turns of the event loop. */
  readonly delay?: number;
  /** A batch comes twice. */
  readonly repeat?: number;
}

/** A transport that loses, delays, doubles and cuts, by chance from a seed. */
export const faultyTransport = (transport: Transport, faults: Faults, random: () => number): Transport => {
  const comes = (fault: keyof Faults): boolean => random() < (faults[fault] ?? 0);
  return {
    send: async (request, signal) => {
      if (comes('refuse')) throw new ApiError('ServiceUnavailable', 'the test refused this request');
      if ((request.verb === 'update' || request.verb === 'patch') && comes('conflict')) throw new ApiError('Conflict', 'the test was faster');
      const answer = await transport.send(request, signal);
      const isRead = request.verb === 'get' || request.verb === 'list';
      if (!isRead && comes('loseAnswer')) throw new ApiError('Timeout', 'the test lost this answer');
      return answer;
    },
    watch: async function* (request, signal): AsyncGenerator<readonly WatchEvent[]> {
      for await (const batch of transport.watch(request, signal)) {
        if (comes('delay')) await settle(1 + Math.floor(random() * 20));
        if (comes('cutWatch')) return;
        if (comes('expireWatch')) throw new ApiError('Expired', 'the test compacted the history');
        yield batch;
        if (comes('repeat')) yield batch;
      }
    },
  };
};
