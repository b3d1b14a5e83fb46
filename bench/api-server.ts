/**
 * The API server over TLS as clients see it: single-object writes and reads at 1, 16 and 64 connections at a time, a list
 * of 10,000 pods, and the fan-out of one watch to 1,000 watchers. The server is a process of its own with SQLite on disk;
 * the load is this process (raw-load.ts), on the same machine. Containers are not involved (--no-agent), durability is.
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
import { connectionOf, loadKubeconfig } from '../client/kubeconfig.ts';
import { connectByKubeconfig } from './connect.ts';
import { load, requestBytes, type LoadResult, type LoadTarget } from './raw-load.ts';
import { percentile, median, table } from './table.ts';

const requests = Number(process.argv[2] ?? 10_000);
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

const { connection } = await connectionOf(await loadKubeconfig({ named: join(dataDir, 'admin.kubeconfig'), env: {} }));
const url = new URL(connection.server);
const target: LoadTarget = { host: url.hostname, port: Number(url.port), ca: String(connection.ca), cert: String(connection.cert), key: String(connection.key) };

const row = async (what: string, width: number, { seconds, times }: LoadResult): Promise<void> => {
  rows.push([what, String(width), (times.length / seconds).toFixed(0), median(times).toFixed(1), percentile(times, 0.99).toFixed(1), (await residentMb()).toFixed(0)]);
};

const path = '/api/v1/namespaces/default/pods';
const requestsFor = (count: number, requestOf: (index: number) => Buffer): readonly Buffer[] => Array.from({ length: count }, (_, index) => requestOf(index));

/** One client that reads what it gets to the last byte. */
const reads = async (what: string, count: number, listPath: string): Promise<void> => {
  const times: number[] = [];
  const started = performance.now();
  for (let read = 0; read < count; read++) {
    const before = performance.now();
    await transport.raw({ method: 'GET', path: listPath });
    times.push(performance.now() - before);
  }
  await row(what, 1, { seconds: (performance.now() - started) / 1000, times });
};

try {
  await load(target, 16, requestsFor(2_000, (index) => requestBytes('POST', path, JSON.stringify(podNamed(`warm-${index}`)))));
  for (const width of [1, 16, 64]) {
    const count = width === 1 ? Math.ceil(requests / 4) : requests;
    const one = (index: number): string => `${path}/p${width}-${index}`;
    const measure = async (what: string, requestOf: (index: number) => Buffer): Promise<void> => row(what, width, await load(target, width, requestsFor(count, requestOf)));
    await measure('create pod', (index) => requestBytes('POST', path, JSON.stringify(podNamed(`p${width}-${index}`))));
    await measure('get pod', (index) => requestBytes('GET', one(index)));
    const stored = new Map((await pods.list({ namespace: 'default' })).items.map((pod) => [pod.metadata.name, pod]));
    await measure('update pod (labels)', (index) => {
      const { metadata: { resourceVersion: _, ...metadata }, ...pod } = stored.get(`p${width}-${index}`)!;
      return requestBytes('PUT', one(index), JSON.stringify({ ...pod, metadata: { ...metadata, labels: { app: 'bench', changed: String(width) } } }));
    });
    const labels = JSON.stringify({ metadata: { labels: { patched: String(width) } } });
    await measure('patch pod (merge)', (index) => requestBytes('PATCH', one(index), labels, 'application/merge-patch+json'));
    await measure('patch pod (strategic)', (index) => requestBytes('PATCH', one(index), JSON.stringify({ metadata: { labels: { strategic: String(width) } } }), 'application/strategic-merge-patch+json'));
    await measure('delete pod', (index) => requestBytes('DELETE', `${one(index)}?gracePeriodSeconds=0`));
  }
  await pods.deleteCollection({ namespace: 'default', gracePeriodSeconds: 0 });

  for (let index = 0; index < listSize; index += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, at) => pods.create(podNamed(`list-${index + at}`))));
  }
  // Read to the last byte; parsing a list of this size in the client would be measured otherwise.
  await reads(`list of ${listSize} pods`, 20, path);
  await reads('list of 500 of them (limit=500)', 200, `${path}?limit=500`);

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
