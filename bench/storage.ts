/**
 * The stores alone: durable writes a second one by one and in groups, and how long a cluster takes to be read at start.
 * Values are 1,000 characters, about a small pod. Files are made in the folder given (a real disk, not a memory one). Where
 * etcd is installed there are rows of it as a store, beside its bare puts over the same protocol.
 *
 * usage: node bench/storage.ts [FOLDER]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdStorage } from '../apiserver/storage/etcd.ts';
import { SqliteStorage } from '../apiserver/storage/sqlite.ts';
import type { Storage } from '../apiserver/storage/storage.ts';
import { WatchCache } from '../apiserver/watch/watch-cache.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { builtinKinds, createRegistry } from '../schemas/registry.ts';
import { startEtcd } from './etcd.ts';
import { percentile, table } from './table.ts';

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'barge-bench-'));
const file = join(folder, 'state.db');
const rows = 100_000;
const widths = [1, 8, 64, 512];
const seconds = 3;

const value = (name: string): string => JSON.stringify({
  kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'default' }, data: { filler: 'x'.repeat(900) },
});
const keyOf = (n: number): string => `/configmaps/default/c${String(n).padStart(6, '0')}`;

const line = (what: string, latenciesMs: readonly number[], elapsed: number, wal = ''): readonly string[] => {
  const ms = (share: number): string => percentile(latenciesMs, share).toFixed(2);
  return [what, Math.round(latenciesMs.length / elapsed).toLocaleString('en'), ms(0.5), ms(0.99), ms(1), wal];
};

/** Keeps so many writes under way at a time for a while; each goes to another of 1,000 keys. */
const writes = async (what: string, storage: Storage, width: number, walBytes?: () => Promise<number>): Promise<readonly string[]> => {
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  let longestWal = 0;
  await Promise.all(Array.from({ length: width }, async (_, worker) => {
    for (let n = 0; performance.now() - startedMs < seconds * 1_000; n++) {
      const key = keyOf((worker + n * width) % 1_000);
      const beganMs = performance.now();
      await storage.commit({ checks: [], writes: [{ key, value: value(key) }] });
      latenciesMs.push(performance.now() - beganMs);
      if (walBytes !== undefined && n % 1_000 === 0) longestWal = Math.max(longestWal, await walBytes());
    }
  }));
  return line(`${what}, ${width} at a time`, latenciesMs, (performance.now() - startedMs) / 1_000, walBytes === undefined ? '' : (longestWal / 2 ** 20).toFixed(1));
};

/** Writes many rows, `together` in each transaction; gives how long a cache takes to be filled with them. */
const loadMs = async (storage: Storage, together: number, reopen: (storage: Storage) => Promise<Storage>): Promise<readonly [openMs: number, loadMs: number]> => {
  for (let from = 0; from < rows; from += together) {
    await storage.commit({ checks: [], writes: Array.from({ length: together }, (_, n) => ({ key: keyOf(from + n), value: value(keyOf(from + n)) })) });
  }
  const openedMs = performance.now();
  const again = await reopen(storage);
  const loadedMs = performance.now();
  const cache = await WatchCache.open({ storage: again, registry: createRegistry(await builtinKinds()), clock: systemClock, log: silentLog });
  const doneMs = performance.now();
  if (cache.list('/configmaps/').length !== rows) throw new Error('rows are missing');
  await cache.close();
  await again.close();
  return [loadedMs - openedMs, doneMs - loadedMs];
};

const lines: (readonly string[])[] = [];
const notes: string[] = [];
const note = (what: string, [openMs, fillMs]: readonly [number, number]): void => void notes.push(`${what}: open ${openMs.toFixed(0)} ms, load ${rows.toLocaleString('en')} rows into the cache ${fillMs.toFixed(0)} ms`);

const openSqlite = (): Promise<SqliteStorage> => SqliteStorage.open({ file, log: silentLog });
const sqlite = await openSqlite();
for (const width of widths) lines.push(await writes('SQLite', sqlite, width, async () => (await stat(`${file}-wal`)).size));
note('SQLite', await loadMs(sqlite, 500, async (storage) => {
  await storage.close();
  return openSqlite();
}));

const etcd = await startEtcd(join(folder, 'etcd'));
if (etcd === undefined) notes.push('etcd is not installed: there are no rows of it.');
else {
  const openEtcd = (): Promise<EtcdStorage> => EtcdStorage.open({ endpoints: [etcd.url], clock: systemClock, log: silentLog });
  const storage = await openEtcd();
  for (const width of widths) {
    const bare = await etcd.load(width, Math.min(20_000, 2_000 + width * 100), Buffer.from(value('x')));
    lines.push(line(`etcd alone, ${width} at a time`, bare.times, bare.seconds), await writes('etcd as a store', storage, width));
  }
  note('etcd', await loadMs(storage, 100, async () => {
    await storage.close();
    return openEtcd();
  }));
  await etcd.close();
}
await rm(folder, { recursive: true });

table(['durable writes of 1 KB', 'writes/s', 'p50 ms', 'p99 ms', 'max ms', 'WAL MB'], lines);
process.stdout.write(`\n${notes.join('\n')}\n`);
