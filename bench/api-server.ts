/**
 * The API server as users run it (`barge up` without containers): single objects at several widths, lists, and watches to
 * 1,000 watchers, over TLS, with SQLite on disk and every write synced. The load is this process (raw-load.ts), on the same
 * machine. Beside it, in the same run and with the same load: etcd alone, koa alone, and an HTTPS server that does nothing.
 *
 * usage: node bench/api-server.ts [REQUESTS_PER_ROW]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { createClient } from '../client/client.ts';
import { connectionOf, loadKubeconfig } from '../client/kubeconfig.ts';
import { aimHeadings, aimRows, p50Of, p99Of, rateOf, type AimName, type References } from './aims.ts';
import { connectByKubeconfig } from './connect.ts';
import { startEtcd } from './etcd.ts';
import { liveNode } from './living-node.ts';
import { processorUs, residentMb } from './processes.ts';
import { load, requestBytes, type LoadResult, type LoadTarget } from './raw-load.ts';
import { openWatchers } from './raw-watch.ts';
import { percentile, median, table } from './table.ts';

const requests = Number(process.argv[2] ?? 10_000);
const widths = [1, 16, 64];
const listSize = 10_000;
const watchers = 1_000;
/** About what a small pod is when it is stored. */
const podBytes = 2_000;

const dir = await mkdtemp(join(tmpdir(), 'barge-bench-'));
const rows: string[][] = [];
const notes: string[] = [];

const firstLine = (child: ChildProcess, until: string): Promise<string> => new Promise((resolve, reject) => {
  child.stdout!.setEncoding('utf8').on('data', (text: string) => { if (text.includes(until)) resolve(text.trim()); });
  child.once('exit', () => reject(new Error('a server ended before it was ready')));
});

const stopped = (child: ChildProcess): Promise<void> => new Promise((resolve) => {
  child.once('close', () => resolve());
  child.kill('SIGTERM');
});

/** One row: what it is, at which width, and what it took of the server. */
const row = async (what: string, width: number, pid: number, work: () => Promise<LoadResult>): Promise<LoadResult> => {
  const before = await processorUs(pid);
  const result = await work();
  const { seconds, times } = result;
  const us = (await processorUs(pid) - before) / times.length;
  rows.push([what, String(width), (times.length / seconds).toFixed(0), median(times).toFixed(2), percentile(times, 0.99).toFixed(2), us.toFixed(0), (await residentMb(pid)).toFixed(0)]);
  return result;
};

const aimed = new Map<AimName, number>();
const references: { -readonly [Name in keyof References]: number | undefined } = { etcd: undefined, koa: undefined, httpsGet: undefined, httpsPost: undefined };

/** Waits until the server has nothing left to do (at most half a minute), so that what one step leaves behind is not measured in the next. */
const quiet = async (pid: number): Promise<void> => {
  for (let waited = 0; waited < 60; waited++) {
    const before = await processorUs(pid);
    await delay(500);
    if (await processorUs(pid) - before < 50_000) return;
  }
};

const countFor = (width: number): number => (width === 1 ? Math.ceil(requests / 4) : requests);
const times = <T>(count: number, of: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => of(index));

const podNamed = (name: string, args: readonly string[] = []) => ({
  kind: 'Pod', apiVersion: 'v1',
  metadata: { name, namespace: 'default', labels: { app: 'bench', tier: 'web' } },
  spec: { nodeName: 'nowhere', containers: [{ name: 'web', image: 'barge/hello:1', ...(args.length === 0 ? {} : { args }), ports: [{ containerPort: 8080 }], resources: { requests: { cpu: '10m', memory: '16Mi' } } }] },
});

const path = '/api/v1/namespaces/default/pods';
const create = (name: string, args?: readonly string[]): Buffer => requestBytes('POST', path, JSON.stringify(podNamed(name, args)));
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';

/** etcd, a row for each width. */
const measureEtcd = async (): Promise<void> => {
  const etcd = await startEtcd(join(dir, 'etcd'));
  if (etcd === undefined) {
    notes.push('etcd is not installed: there are no rows of it.');
    return;
  }
  const value = Buffer.alloc(podBytes, 'x');
  await etcd.load(16, 2_000, value);
  for (const width of widths) references.etcd = rateOf(await row(`etcd alone: put of ${podBytes} bytes`, width, etcd.pid, () => etcd.load(width, countFor(width), value)));
  await etcd.close();
};

/** A server that does nothing but answer; resolves with what `measure` does, once it has warmed up. */
const beside = async (script: string, target: (port: number) => LoadTarget, measure: (at: LoadTarget, pid: number) => Promise<void>): Promise<void> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), join(dir, 'data/pki')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const at = target(Number(await firstLine(child, '\n')));
  await load(at, 16, times(2_000, () => create('nobody')));
  await measure(at, child.pid!);
  await stopped(child);
};

const measureEmpty = async (target: LoadTarget): Promise<void> => {
  const post = create('nobody');
  await beside('empty-server.ts', (port) => ({ ...target, port }), async (at, pid) => {
    references.httpsGet = rateOf(await row('empty HTTPS handler: GET', 64, pid, () => load(at, 64, times(requests, () => requestBytes('GET', path)))));
    references.httpsPost = rateOf(await row('empty HTTPS handler: POST', 64, pid, () => load(at, 64, times(requests, () => post))));
  });
  await beside('koa-server.ts', (port) => ({ host: '127.0.0.1', port }), async (at, pid) => {
    references.koa = rateOf(await row('koa alone, without TLS: POST', 64, pid, () => load(at, 64, times(requests, () => post))));
  });
};

const server = spawn(join(import.meta.dirname, '../bin/barge'), ['up', '--no-agent', '--data-dir', join(dir, 'data'), '--listen', '127.0.0.1:0', '--log-level', 'warn'], {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'commit-clock.ts')).href}` },
});
const pid = server.pid!;
let letGo = (): void => undefined;

try {
  await firstLine(server, 'Ready');
  const kubeconfig = join(dir, 'data/admin.kubeconfig');
  const { connection } = await connectionOf(await loadKubeconfig({ named: kubeconfig, env: {} }));
  const url = new URL(connection.server);
  const target: LoadTarget = { host: url.hostname, port: Number(url.port), ca: String(connection.ca), cert: String(connection.cert), key: String(connection.key) };
  await delay(3_000);
  notes.push(`Idle, ${(await residentMb(pid)).toFixed(0)} MB.`);

  await measureEtcd();
  await measureEmpty(target);

  letGo = await liveNode(target, 'nowhere');
  for (let warm = 0; warm < 2; warm++) await load(target, 16, times(3_000, (index) => create(`warm-${warm}-${index}`)));

  const transport = await connectByKubeconfig(kubeconfig);
  const pods = createClient(transport).of(Pod);
  for (const width of widths) {
    const count = countFor(width);
    const one = (index: number): string => `${path}/p${width}-${index}`;
    const measure = (what: string, requestOf: (index: number) => Buffer): Promise<LoadResult> => row(what, width, pid, () => load(target, width, times(count, requestOf)));
    const creates = await measure('create pod', (index) => create(`p${width}-${index}`));
    await measure('create pod, each of a template of its own', (index) => create(`own${width}-${index}`, ['--n', String(index)]));
    const gets = await measure('get pod', (index) => requestBytes('GET', one(index)));
    const stored = new Map((await pods.list({ namespace: 'default' })).items.map((pod) => [pod.metadata.name, pod]));
    await measure('update pod (labels)', (index) => {
      const { metadata: { resourceVersion: _, ...metadata }, ...pod } = stored.get(`p${width}-${index}`)!;
      return requestBytes('PUT', one(index), JSON.stringify({ ...pod, metadata: { ...metadata, labels: { app: 'bench', changed: String(width) } } }));
    });
    const patches = await measure('patch pod (merge)', (index) => requestBytes('PATCH', one(index), JSON.stringify({ metadata: { labels: { patched: String(width) } } }), merge));
    await measure('patch pod (strategic)', (index) => requestBytes('PATCH', one(index), JSON.stringify({ metadata: { labels: { strategic: String(width) } } }), strategic));
    await measure('delete pod', (index) => requestBytes('DELETE', `${one(index)}?gracePeriodSeconds=0`));
    if (width === widths.at(-1)) aimed.set('create', rateOf(creates)).set('createP99', p99Of(creates)).set('get', rateOf(gets)).set('patch', rateOf(patches));
    await pods.deleteCollection({ namespace: 'default', gracePeriodSeconds: 0 });
    await quiet(pid);
  }
  transport.close();

  await load(target, 64, times(listSize, (index) => create(`list-${index}`)));
  await quiet(pid);
  const lists = await row(`list of ${listSize} pods`, 1, pid, () => load(target, 1, times(30, () => requestBytes('GET', path))));
  await row('list of 500 of them (limit=500)', 1, pid, () => load(target, 1, times(200, () => requestBytes('GET', `${path}?limit=500`))));

  aimed.set('list', p50Of(lists));

  // From the moment that the write was durable (commit-clock.ts, in the server) to the moment that a watcher has read it.
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const createMap = (name: string): Buffer => requestBytes('POST', configMaps, JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name }, data: { a: 'b' } }));
  const durableAt: { readonly revision: number; readonly at: number }[] = [];
  server.on('message', (message) => durableAt.push(message as { readonly revision: number; readonly at: number }));
  const receipts: { readonly revision: number; readonly at: number }[] = [];
  let noting = true;
  const watching = await openWatchers(target, watchers, `${configMaps}?watch=true&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`, (revision) => {
    if (noting) receipts.push({ revision, at: Number(process.hrtime.bigint()) / 1e6 });
  });
  server.send('tell commits');
  await delay(2_000);
  const writes = 100;
  const before = await processorUs(pid);
  for (let write = 0; write < writes; write++) {
    await load(target, 1, [createMap(`fan-${write}`)]);
    await delay(100);
  }
  await delay(1_000);
  const watchUs = (await processorUs(pid) - before) / (writes * watchers);
  const commitOf = new Map(durableAt.map(({ revision, at }) => [revision, at]));
  const delays = receipts.flatMap(({ revision, at }) => (commitOf.has(revision) ? [at - commitOf.get(revision)!] : []));
  if (delays.length !== writes * watchers) notes.push(`Of ${writes * watchers} deliveries ${delays.length} came.`);
  rows.push([`watch, ${watchers} watchers, 10 writes/s: from durable to received`, String(watchers), '', median(delays).toFixed(2), percentile(delays, 0.99).toFixed(2), watchUs.toFixed(0), (await residentMb(pid)).toFixed(0)]);

  aimed.set('watchP99', percentile(delays, 0.99));

  noting = false;
  const burst = 500;
  const [had, usBefore, started] = [watching.received(), await processorUs(pid), performance.now()];
  await load(target, 16, times(burst, (index) => createMap(`burst-${index}`)));
  while (watching.received() - had < burst * watchers && performance.now() - started < 120_000) await delay(5);
  const seconds = (performance.now() - started) / 1000;
  const delivered = watching.received() - had;
  if (delivered < burst * watchers) notes.push(`In the burst ${delivered} of ${burst * watchers} deliveries came.`);
  rows.push([`watch, ${watchers} watchers, as fast as 16 write: deliveries`, String(watchers), (delivered / seconds).toFixed(0), '', '', ((await processorUs(pid) - usBefore) / delivered).toFixed(1), (await residentMb(pid)).toFixed(0)]);
  aimed.set('deliveries', delivered / seconds);
  watching.close();
} finally {
  letGo();
  await stopped(server);
  await rm(dir, { recursive: true, force: true });
}
table(['what', 'at a time', 'a second', 'p50 ms', 'p99 ms', 'server us each', 'server MB'], rows);
process.stdout.write('\n');
table(aimHeadings, aimRows(aimed, references));
process.stdout.write(`\n${notes.join(' ')}\n`);
process.exit(0);
