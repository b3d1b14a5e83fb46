/**
 * The store alone: durable writes a second one by one and in groups, and how long a cluster takes to be read at start.
 * Values are 1,000 characters, about a small pod. Files are made in the folder given (a real disk, not a memory one).
 *
 * usage: node bench/storage.ts [FOLDER]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStorage } from '../apiserver/storage/sqlite.ts';
import { WatchCache } from '../apiserver/watch/watch-cache.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { builtinKinds, createRegistry } from '../schemas/registry.ts';
import { percentile, table } from './table.ts';

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'barge-bench-'));
const file = join(folder, 'state.db');
const rows = 100_000;

const value = (name: string): string => JSON.stringify({
  kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'default' }, data: { filler: 'x'.repeat(900) },
});
const keyOf = (n: number): string => `/configmaps/default/c${String(n).padStart(6, '0')}`;

/** Keeps so many writes under way at a time for a while; each goes to another of 1,000 keys. */
const writes = async (storage: SqliteStorage, width: number, seconds: number): Promise<readonly string[]> => {
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  let longestWal = 0;
  await Promise.all(Array.from({ length: width }, async (_, worker) => {
    for (let n = 0; performance.now() - startedMs < seconds * 1_000; n++) {
      const key = keyOf((worker + n * width) % 1_000);
      const beganMs = performance.now();
      await storage.commit({ checks: [], writes: [{ key, value: value(key) }] });
      latenciesMs.push(performance.now() - beganMs);
      if (n % 1_000 === 0) longestWal = Math.max(longestWal, (await stat(`${file}-wal`)).size);
    }
  }));
  const elapsed = (performance.now() - startedMs) / 1_000;
  const ms = (share: number): string => percentile(latenciesMs, share).toFixed(2);
  return [`${width} at a time`, Math.round(latenciesMs.length / elapsed).toLocaleString('en'), ms(0.5), ms(0.99), ms(1), (longestWal / 2 ** 20).toFixed(1)];
};

let storage = await SqliteStorage.open({ file, log: silentLog });
const lines: (readonly string[])[] = [];
for (const width of [1, 8, 64, 512]) lines.push(await writes(storage, width, 3));

for (let from = 0; from < rows; from += 500) {
  await storage.commit({ checks: [], writes: Array.from({ length: 500 }, (_, n) => ({ key: keyOf(from + n), value: value(keyOf(from + n)) })) });
}
await storage.close();
const openedMs = performance.now();
storage = await SqliteStorage.open({ file, log: silentLog });
const loadedMs = performance.now();
const cache = await WatchCache.open({ storage, registry: createRegistry(await builtinKinds()), clock: systemClock, log: silentLog });
const doneMs = performance.now();
if (cache.list('/configmaps/').length !== rows) throw new Error('rows are missing');
await cache.close();
await storage.close();
await rm(folder, { recursive: true });

table(['durable writes of 1 KB', 'writes/s', 'p50 ms', 'p99 ms', 'max ms', 'WAL MB'], lines);
process.stdout.write(`\nopen ${(loadedMs - openedMs).toFixed(0)} ms, load ${rows.toLocaleString('en')} rows into the cache ${(doneMs - loadedMs).toFixed(0)} ms\n`);
