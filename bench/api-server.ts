/**
 * The API server over TLS as clients see it: single-object writes and reads at 1, 16 and 64 connections at a time, a list
 * of 10,000 pods, and the fan-out of one watch to 1,000 watchers. The server is a process of its own with SQLite on disk;
 * the load is this process, on the same machine. Containers are not involved (--no-agent), durability is.
 *
 * usage: node bench/api-server.ts [REQUESTS_PER_ROW]
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigMap } from '../schemas/kinds/core/config-map.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { createClient } from '../client/client.ts';
import { connectByKubeconfig } from './connect.ts';
import { percentile, median, table } from './table.ts';

const requests = Number(process.argv[2] ?? 4_000);
const listSize = 10_000;
const watchers = 1_000;

const dataDir = await mkdtemp(join(tmpdir(), 'barge-bench-'));
const server = spawn(join(import.meta.dirname, '../bin/barge'), ['up', '--no-agent', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--log-level', 'warn'], { stdio: ['ignore', 'pipe', 'inherit'] });
const up = Promise.withResolvers<void>();
server.stdout.setEncoding('utf8').on('data', (text: string) => { if (text.includes('Ready')) up.resolve(); });
await up.promise;

const residentMb = async (): Promise<number> => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024;

const transport = await connectByKubeconfig(join(dataDir, 'admin.kubeconfig'));
const client = createClient(transport);
const pods = client.of(Pod);
const rows: string[][] = [];

const podNamed = (name: string) => ({
  metadata: { name, namespace: 'default', labels: { app: 'bench', tier: 'web' } },
  spec: { nodeName: 'nowhere', containers: [{ name: 'web', image: 'barge/hello:1', ports: [{ containerPort: 8080 }], resources: { requests: { cpu: '10m', memory: '16Mi' } } }] },
});

/** Does the work `count` times, `width` at a time; prints requests a second, p50 and p99. */
const measure = async (what: string, count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> => {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: width }, async () => {
    for (let index = next++; index < count; index = next++) {
      const before = performance.now();
      await work(index);
      times.push(performance.now() - before);
    }
  }));
  const seconds = (performance.now() - started) / 1000;
  rows.push([what, String(width), (count / seconds).toFixed(0), median(times).toFixed(1), percentile(times, 0.99).toFixed(1), (await residentMb()).toFixed(0)]);
};

try {
  await measure('warm-up (create)', 1_000, 16, (index) => pods.create(podNamed(`warm-${index}`)));
  rows.length = 0;
  for (const width of [1, 16, 64]) {
    const count = width === 1 ? Math.ceil(requests / 4) : requests;
    const name = (index: number): string => `p${width}-${index}`;
    await measure('create pod', count, width, (index) => pods.create(podNamed(name(index))));
    await measure('get pod', count, width, (index) => pods.get({ namespace: 'default', name: name(index) }));
    await measure('update pod (labels)', count, width, async (index) => {
      const current = await pods.get({ namespace: 'default', name: name(index) });
      await pods.update({ ...current, metadata: { ...current.metadata, labels: { ...current.metadata.labels, changed: String(width) } } });
    });
    await measure('patch pod (merge)', count, width, (index) => pods.patch({ namespace: 'default', name: name(index) }, 'merge', { metadata: { labels: { patched: String(width) } } }));
    await measure('delete pod', count, width, (index) => pods.delete({ namespace: 'default', name: name(index) }, { gracePeriodSeconds: 0 }));
  }
  await pods.deleteCollection({ namespace: 'default', gracePeriodSeconds: 0 });

  for (let index = 0; index < listSize; index += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, at) => pods.create(podNamed(`list-${index + at}`))));
  }
  // Read to the last byte; parsing a list of this size in the client would be measured otherwise.
  await measure(`list of ${listSize} pods`, 20, 1, () => transport.raw({ method: 'GET', path: '/api/v1/namespaces/default/pods' }));
  await measure('list of 500 of them (limit=500)', 200, 1, () => transport.raw({ method: 'GET', path: '/api/v1/namespaces/default/pods?limit=500' }));

  // Fan-out: from the write's answer to each watcher's receipt.
  const configMaps = client.of(ConfigMap);
  const stop = new AbortController();
  const written = new Map<string, number>();
  const delays: number[] = [];
  const { metadata } = await configMaps.list({ namespace: 'default' });
  for (let at = 0; at < watchers; at++) {
    void (async () => {
      for await (const events of configMaps.watch({ namespace: 'default', resourceVersion: metadata.resourceVersion }, stop.signal)) {
        const now = performance.now();
        for (const event of events) {
          const sentAt = written.get(event.object.metadata.name ?? '');
          if (event.type === 'ADDED' && sentAt !== undefined) delays.push(now - sentAt);
        }
      }
    })().catch(() => undefined);
  }
  await delay(3_000);
  const writes = 50;
  const started = performance.now();
  for (let write = 0; write < writes; write++) {
    const name = `fan-${write}`;
    written.set(name, performance.now());
    await configMaps.create({ metadata: { name, namespace: 'default' }, data: { a: 'b' } });
    await delay(100);
  }
  while (delays.length < writes * watchers && performance.now() - started < 60_000) await delay(50);
  rows.push([`watch fan-out, ${watchers} watchers, 10 writes/s: request to receipt`, String(watchers), `${delays.length} of ${writes * watchers}`, median(delays).toFixed(1), percentile(delays, 0.99).toFixed(1), (await residentMb()).toFixed(0)]);
  stop.abort();
} finally {
  transport.close();
  server.kill('SIGTERM');
  await new Promise((resolve) => server.on('close', resolve));
  await rm(dataDir, { recursive: true, force: true });
}
table(['what', 'at a time', 'a second', 'p50 ms', 'p99 ms', 'server MB'], rows);
process.exit(0);
