/**
 * etcd keeps every version of every key until it is told to forget. One of the servers tells it, every few minutes, to
 * forget what was overtaken before the last time, so that changes are kept for one to two of these spans, as Kubernetes' API servers do.
 * Which one: that which is the first to write the turn's key; the others see that it was written and begin a new turn.
 */
import { sleep, type Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { StorageUnavailable } from '../storage.ts';
import type { EtcdClient } from './etcd-client.ts';
import { putOperation, rangeOperation, versionIs } from './messages.ts';

/** How often the turn's key was written when we last looked, and etcd's revision then. */
export interface Turn {
  readonly version: number;
  readonly revision: number;
}

/** Takes a turn: compacts if nobody has since the turn before. Gives the next one. */
export const compactionTurn = async (client: EtcdClient, key: Buffer, { version, revision }: Turn): Promise<Turn> => {
  const answer = await client.txn({ compare: [versionIs(key, version)], success: [putOperation(key, Buffer.from(String(revision)))], failure: [rangeOperation({ key })] }, 'safe');
  if (!answer.succeeded) return { version: answer.ranges[0]?.rows[0]?.version ?? 0, revision: answer.revision };
  if (revision > 0) await client.compact(revision);
  return { version: version + 1, revision: answer.revision };
};

export interface CompactionOptions {
  readonly client: EtcdClient;
  readonly key: Buffer;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called before each turn: what must be known of the revisions that are forgotten one turn later. */
  readonly before: () => Promise<unknown>;
}

/** Takes a turn each so many milliseconds, until the signal aborts. */
export const keepCompacted = async ({ client, key, everyMs, clock, log, before }: CompactionOptions, signal: AbortSignal): Promise<void> => {
  let turn: Turn = { version: 0, revision: 0 };
  while (!signal.aborted) {
    try {
      await before();
      turn = await compactionTurn(client, key, turn);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof StorageUnavailable) log.debug('etcd could not be told to forget old changes; trying again in the next turn', { error });
      else log.error('etcd could not be told to forget old changes; trying again in the next turn', { error });
    }
    await sleep(clock, everyMs, signal);
  }
};
