/** Waiting until one object, or those of a collection, are as they should be: by a watch, not by asking again and again. */
import { isReason } from '../schemas/errors.ts';
import type { RequestOptions, ResourcePath } from '../schemas/api.ts';
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

/** What ends a wait that was cut short. */
const cut = (limit: ReturnType<typeof deadline>): Error => (limit.expired() ? new TimedOut('timed out') : new Error('interrupted'));

/**
 * Calls `look` with every state of a collection, its objects by uid, until it gives something other than undefined.
 * Rejects with TimedOut after `timeoutMs`, and with ApiError when the server refuses.
 */
export const untilAmong = async <T>(session: Session, world: Pick<World, 'clock' | 'signal'>, options: {
  readonly collection: ResourcePath; readonly selectors?: Pick<RequestOptions, 'fieldSelector' | 'labelSelector'>; readonly timeoutMs: number | undefined;
  readonly look: (objects: ReadonlyMap<string, ApiObject>) => T | undefined | Promise<T | undefined>;
}): Promise<T> => {
  const { collection, selectors = {}, look } = options;
  const limit = deadline(world, options.timeoutMs);
  try {
    for (;;) {
      let list;
      try {
        list = await session.api.list(collection, selectors, limit.signal);
      } catch (error) {
        throw limit.signal.aborted ? cut(limit) : error;
      }
      const objects = new Map(list.items.map((object) => [object.metadata.uid ?? '', object]));
      const first = await look(objects);
      if (first !== undefined) return first;
      try {
        for await (const event of session.api.watch({ ...collection, verb: 'watch', options: { ...selectors, resourceVersion: list.resourceVersion } }, { table: false, signal: limit.signal })) {
          if (event.type === 'BOOKMARK') continue;
          const object = event.object as ApiObject;
          if (event.type === 'DELETED') objects.delete(object.metadata.uid ?? '');
          else objects.set(object.metadata.uid ?? '', object);
          const found = await look(objects);
          if (found !== undefined) return found;
        }
      } catch (error) {
        if (!isReason(error, 'Expired', 'Gone')) throw error;
      }
      if (limit.signal.aborted) throw cut(limit);
    }
  } finally {
    limit.cancel();
  }
};

/**
 * Calls `look` with every state of the object, undefined when there is none, until it gives something other than
 * undefined. Rejects like `untilAmong`.
 */
export const until = <T>(session: Session, world: Pick<World, 'clock' | 'signal'>, options: {
  readonly selected: Selected; readonly timeoutMs: number | undefined; readonly look: (object: ApiObject | undefined) => T | undefined | Promise<T | undefined>;
}): Promise<T> => {
  const { name, ...collection } = placeOf(options.selected);
  return untilAmong(session, world, {
    collection, selectors: { fieldSelector: `metadata.name=${name}` }, timeoutMs: options.timeoutMs, look: (objects) => options.look([...objects.values()][0]),
  });
};
