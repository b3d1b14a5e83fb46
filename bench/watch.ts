/**
 * The watch cache alone: how long a write takes to reach 1,000 watchers, in process and as encoded lines, and what a
 * write costs that few of 1,000 watchers want. The store is in memory, so that only the fan-out is measured.
 *
 * usage: node bench/watch.ts [WATCHERS]
 */
import { eventLineOf } from '../apiserver/encoding.ts';
import { MemoryStorage } from '../apiserver/storage/memory.ts';
import { WatchCache, type WatchOptions } from '../apiserver/watch/watch-cache.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { createRegistry } from '../schemas/registry.ts';
import { percentile, table } from './table.ts';

const watchers = Number(process.argv[2] ?? 1_000);
const events = 2_000;

const pod = (n: number, node: string): { readonly key: string; readonly value: string } => {
  const name = `p${n % 200}`;
  const object = { kind: 'Pod', apiVersion: 'v1', metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec: { nodeName: node, containers: [{ name: 'c', image: 'i', args: ['x'.repeat(800)] }] } };
  return { key: `/pods/default/${name}`, value: JSON.stringify(object) };
};

/** Writes pods one after the other; a write is delivered when the last watcher that wants it has it. */
const run = async (name: string, options: (n: number) => WatchOptions, encode: boolean): Promise<readonly string[]> => {
  const storage = new MemoryStorage();
  const kind = { ...Pod, fields: { 'spec.nodeName': (object: Pod) => object.spec?.nodeName ?? '' } };
  const cache = await WatchCache.open({ storage, registry: createRegistry([kind]), clock: systemClock, log: silentLog });
  const abort = new AbortController();
  let deliveries = 0;
  let bytes = 0;
  let lastMs = 0;
  const readers = Array.from({ length: watchers }, async (_, n) => {
    for await (const batch of cache.watch(options(n), abort.signal)) {
      for (const event of batch) if (encode) bytes += eventLineOf(event).length;
      deliveries += batch.length;
      lastMs = performance.now();
    }
  });
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  for (let n = 0; n < events; n++) {
    const beganMs = performance.now();
    const before = deliveries;
    await cache.reached(await storage.commit({ checks: [], writes: [pod(n, `n${n % 200 % 100}`)] }));
    await new Promise((resolve) => setImmediate(resolve));
    if (deliveries > before) latenciesMs.push(lastMs - beganMs);
  }
  const elapsed = (performance.now() - startedMs) / 1_000;
  abort.abort();
  await Promise.all(readers);
  await cache.close();
  await storage.close();
  if (encode && bytes === 0) throw new Error('nothing was encoded');
  const us = (share: number): string => (percentile(latenciesMs, share) * 1_000).toFixed(0);
  return [name, Math.round(deliveries / events).toLocaleString('en'), Math.round(deliveries / elapsed).toLocaleString('en'), us(0.5), us(0.99)];
};

const all = (): WatchOptions => ({ prefix: '/pods/', after: 0 });
await run('warm up', all, true);
table([`${watchers.toLocaleString('en')} watchers`, 'wanted by', 'deliveries/s', 'p50 us to the last', 'p99 us'], [
  await run('all pods', all, false),
  await run('all pods, as lines', all, true),
  await run('by label selector', () => ({ prefix: '/pods/', after: 0, matches: (object) => object.metadata.labels?.['app'] === 'web' }), true),
  await run('by node (100 nodes)', (n) => ({ prefix: '/pods/', after: 0, field: { path: 'spec.nodeName', value: `n${n % 100}` } }), true),
]);
