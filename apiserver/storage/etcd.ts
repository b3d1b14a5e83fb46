/**
 * EtcdStorage keeps a cluster in an etcd, which several API servers share. A transaction is one transaction of etcd: its
 * checks are comparisons of revisions, and the revision is etcd's own. Transactions of one server go out side by side on one
 * connection; etcd orders them and puts those that come together on the disk together. Changes come from one watch.
 *
 * Every transaction also writes one empty key, `newest`. So one read of one key says up to where a server must have
 * followed the changes to have seen every write of all servers, and that nothing is missing where etcd itself has gone on
 * by the writes of other clusters. docs/design/storage.md says what it replaces.
 */
import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { keepCompacted } from './etcd/compaction.ts';
import { EtcdClient } from './etcd/etcd-client.ts';
import type { GrpcTls } from './etcd/grpc-connection.ts';
import { etcdKeys, type EtcdKeys } from './etcd/keys.ts';
import { deleteOperation, putOperation, rangeOperation, revisionIs, type KeyValue, type RangeRequest, type WatchEvent } from './etcd/messages.ts';
import { EtcdNote } from './etcd/note.ts';
import { SharedQuestion } from './etcd/shared-question.ts';
import { brokenCheck, commitRequest, looked, lookRequest, surelyChanges } from './etcd/transaction.ts';
import { CheckFailed, StorageUnavailable, type Change, type Row, type Storage, type Transaction, type Write } from './storage.ts';

export interface EtcdOptions {
  /** URLs of members, such as `https://10.0.0.1:2379`. */
  readonly endpoints: readonly string[];
  /** With which all keys begin; `/barge` where absent. */
  readonly prefix?: string | undefined;
  readonly tls?: GrpcTls | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** How long changes are kept at least; 5 minutes where absent, as with Kubernetes. */
  readonly compactEveryMs?: number | undefined;
}

const defaultPrefix = '/barge';
const pageRows = 500;
const firstMs = 20_000;
const retryMs = 1_000;

export class EtcdStorage implements Storage {
  readonly #client: EtcdClient;
  readonly #keys: EtcdKeys;
  readonly #newest: SharedQuestion<number>;
  /** Never aborts: what is away may come back. */
  readonly failed = new AbortController().signal;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  /** What this process writes, until it comes back as a change: it need not be parsed again. */
  readonly #own = new Map<string, Write>();
  /** Between these revisions there are no changes of this cluster. */
  #quiet = { after: 0, until: 0 };
  #compacting: Promise<void> = Promise.resolve();

  private constructor({ prefix = defaultPrefix, ...options }: EtcdOptions) {
    this.#keys = etcdKeys(prefix);
    this.#client = new EtcdClient(options);
    this.#newest = new SharedQuestion(() => this.#askNewest());
  }

  /** Waits 20 s for an etcd that is not there yet; throws StorageUnavailable then. */
  static async open(options: EtcdOptions): Promise<EtcdStorage> {
    const storage = new EtcdStorage(options);
    const { clock, log, compactEveryMs = 300_000 } = options;
    const { newest, compaction } = storage.#keys;
    try {
      for (const untilMs = clock.now() + firstMs; ;) {
        try {
          await storage.#client.txn({ compare: [revisionIs(newest, 0)], success: [putOperation(newest, Buffer.alloc(0))], failure: [] }, 'safe');
          break;
        } catch (error) {
          if (!(error instanceof StorageUnavailable) || clock.now() >= untilMs) throw error;
          log.warn('etcd does not serve; trying again', { error });
          await sleep(clock, retryMs, storage.#closing.signal);
        }
      }
    } catch (error) {
      storage.#client.close();
      throw error;
    }
    storage.#compacting = keepCompacted({ client: storage.#client, key: compaction, everyMs: compactEveryMs, clock, log, before: () => storage.newest() }, storage.#closing.signal);
    return storage;
  }

  /** Removes all that a cluster has in etcd, for good. Throws StorageUnavailable; a second call finishes what the first could not. */
  static async erase({ prefix = defaultPrefix, ...options }: EtcdOptions): Promise<void> {
    const { rows, end, notes, notesEnd, newest, compaction } = etcdKeys(prefix);
    const client = new EtcdClient(options);
    try {
      await client.txn({ compare: [], success: [deleteOperation(rows, end), deleteOperation(notes, notesEnd), deleteOperation(newest), deleteOperation(compaction)], failure: [] }, 'safe');
    } finally {
      client.close();
    }
  }

  async *load(): AsyncGenerator<readonly Row[], number> {
    this.#own.clear();
    const { rows: first, end, newest } = this.#keys;
    const pageOf = (key: Buffer): RangeRequest => ({ key, end, limit: pageRows });
    // One moment for both: the rows, and the newest change that they show.
    const { ranges: [mark, page], revision } = await this.#client.txn({ compare: [], success: [rangeOperation({ key: newest, keysOnly: true }), rangeOperation(pageOf(first))], failure: [] }, 'safe');
    const after = this.#mark(mark!.rows, revision);
    for (let { rows, more } = page!; ; ({ rows, more } = await this.#client.range({ ...pageOf(Buffer.concat([rows.at(-1)!.key, Buffer.from([0])])), revision }))) {
      if (rows.length > 0) yield rows.map((row) => ({ key: this.#keys.name(row.key), revision: row.revision, value: row.value.toString('utf8') }));
      if (!more) return after;
    }
  }

  async commit(transaction: Transaction): Promise<number> {
    this.#assertOpen();
    const committed = surelyChanges(transaction) ? this.#commit(transaction) : this.#lookFirst(transaction);
    this.#underWay.add(committed);
    try {
      return await committed;
    } finally {
      this.#underWay.delete(committed);
    }
  }

  async *changes(after: number, signal: AbortSignal): AsyncGenerator<readonly Change[], void> {
    const { after: quietAfter, until } = this.#quiet;
    const from = (quietAfter <= after && after < until ? until : after) + 1;
    let events: WatchEvent[] = [];
    for await (const response of this.#client.watch({ key: this.#keys.rows, end: this.#keys.end, from }, AbortSignal.any([signal, this.#closing.signal]))) {
      events.push(...response.events);
      if (response.continues || events.length === 0) continue;
      yield events.map((event) => this.#change(event));
      events = [];
    }
  }

  /** A value beside the rows. */
  note(name: string): EtcdNote {
    return new EtcdNote(this.#client, this.#keys.note(name), this.#closing.signal);
  }

  newest(): Promise<number> {
    return this.#newest.answer();
  }

  async compact(upTo: number): Promise<void> {
    this.#assertOpen();
    await this.#client.compact(upTo);
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.allSettled(this.#underWay);
    this.#client.close();
    await this.#compacting;
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new Error('the store is closed');
  }

  async #commit(transaction: Transaction): Promise<number> {
    const { checks, writes } = transaction;
    for (const write of writes) if (write.object !== undefined) this.#own.set(write.key, write);
    try {
      const answer = await this.#client.txn(commitRequest(transaction, this.#keys), 'unsafe');
      if (!answer.succeeded) throw brokenCheck(checks, answer);
      return answer.revision;
    } catch (error) {
      for (const write of writes) if (this.#own.get(write.key) === write) this.#own.delete(write.key);
      throw error;
    }
  }

  /** For a transaction that perhaps changes nothing, and then may take no revision: only deletes of what is there are sent. */
  async #lookFirst(transaction: Transaction): Promise<number> {
    const { checks } = transaction;
    for (;;) {
      const answer = await this.#client.txn(lookRequest(transaction, this.#keys), 'safe');
      if (!answer.succeeded) throw brokenCheck(checks, answer);
      const { newest, standing } = looked(transaction, answer);
      const there = standing.filter(({ revision }) => revision > 0);
      if (there.length === 0) return newest;
      try {
        return await this.#commit({ checks: [...checks, ...standing], writes: there.map(({ key }) => ({ key, value: undefined })) });
      } catch (error) {
        // What was to be deleted has changed in between.
        if (!(error instanceof CheckFailed) || checks.some(({ key }) => key === error.key)) throw error;
      }
    }
  }

  async #askNewest(): Promise<number> {
    const { rows, revision } = await this.#client.range({ key: this.#keys.newest, keysOnly: true });
    return this.#mark(rows, revision);
  }

  /** The revision of the newest change; notes that there is none between it and the one at which etcd stands. */
  #mark([newest]: readonly KeyValue[], revision: number): number {
    if (newest === undefined) throw new Error(`${this.#keys.newest.toString()} is gone from etcd: somebody deleted it`);
    this.#quiet = { after: newest.revision, until: revision };
    return newest.revision;
  }

  #change({ type, row, before }: WatchEvent): Change {
    const key = this.#keys.name(row.key);
    const value = (type === 'put' ? row : before)?.value.toString('utf8') ?? '';
    const own = this.#own.get(key);
    if (own !== undefined) this.#own.delete(key);
    return { key, revision: row.revision, type, value, object: type === 'put' && own?.value === value ? own.object : undefined, previousRevision: before?.revision ?? 0 };
  }
}
