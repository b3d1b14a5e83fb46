/** Waiting until one object is as it should be: by a watch, not by asking again and again. */
import { isReason } from '../schemas/errors.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { CommandError, type World } from './command.ts';
import { placeOf, type Selected } from './selection.ts';
import type { Session } from './session.ts';

export class TimedOut extends CommandError {}

/** A signal that aborts with the world's, or after a time; 0 or undefined is no limit. */
export const deadline = (world: Pick<World, 'clock' | 'signal'>, afterMs: number | undefined): { readonly signal: AbortSignal; readonly expired: () => boolean; readonly cancel: () => void } => {
  if (afterMs === undefined) return { signal: world.signal, expired: () => false, cancel: () => undefined };
  const controller = new AbortController();
  let expired = false;
  const cancel = world.clock.after(afterMs, () => {
    expired = true;
    controller.abort();
  });
  return { signal: AbortSignal.any([world.signal, controller.signal]), expired: () => expired, cancel };
};

/**
 * Calls `look` with every state of the object, undefined when there is none, until it gives something other than
 * undefined. Rejects with TimedOut after `timeoutMs`, and with ApiError when the server refuses.
 */
export const until = async <T>(session: Session, world: Pick<World, 'clock' | 'signal'>, options: {
  readonly selected: Selected; readonly timeoutMs: number | undefined; readonly look: (object: ApiObject | undefined) => T | undefined | Promise<T | undefined>;
}): Promise<T> => {
  const { selected, look } = options;
  const limit = deadline(world, options.timeoutMs);
  const { name, ...collection } = placeOf(selected);
  const fieldSelector = `metadata.name=${name}`;
  const timedOut = (): Error => (limit.expired() ? new TimedOut('timed out') : new Error('interrupted'));
  try {
    for (;;) {
      let list;
      try {
        list = await session.api.list(collection, { fieldSelector }, limit.signal);
      } catch (error) {
        throw limit.signal.aborted ? timedOut() : error;
      }
      const first = await look(list.items[0]);
      if (first !== undefined) return first;
      try {
        for await (const event of session.api.watch({ ...collection, verb: 'watch', options: { fieldSelector, resourceVersion: list.resourceVersion } }, { table: false, signal: limit.signal })) {
          if (event.type === 'BOOKMARK') continue;
          const found = await look(event.type === 'DELETED' ? undefined : event.object as ApiObject);
          if (found !== undefined) return found;
        }
      } catch (error) {
        if (!isReason(error, 'Expired', 'Gone')) throw error;
      }
      if (limit.signal.aborted) throw timedOut();
    }
  } finally {
    limit.cancel();
  }
};
