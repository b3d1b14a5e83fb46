/**
 * End to end on a real engine, as root: how long `barge up` takes to be Ready, how long pods take from create to Running
 * beside the engine's own cost of the same containers (a sandbox with a network, and a container that joins it), and what
 * an idle cluster uses. One run compares both sides in turn, several rounds each, and prints medians.
 *
 * usage: node bench/cluster.ts [ROUNDS]
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { createClient, type Client } from '../client/client.ts';
import { connectByKubeconfig } from './connect.ts';
import { E2eCluster, ensureImages } from '../test/helpers/e2e.ts';
import { median, table } from './table.ts';

const rounds = Number(process.argv[2] ?? 5);
const sizes = [1, 10, 30] as const;
const engine = new Docker({ socketPath: '/var/run/docker.sock' });
const label = 'barge.dev/bench';

const inParallel = async (count: number, width: number, work: (index: number) => Promise<void>): Promise<void> => {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, count) }, async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  }));
};

/** Seconds the engine takes for a sandbox and a container that joins it, `count` times, some at once. */
const engineSeconds = async (count: number, width: number, network: string, pause: string): Promise<number> => {
  const made: Docker.Container[] = [];
  const started = performance.now();
  await inParallel(count, width, async () => {
    const sandbox = await engine.createContainer({ Image: pause, Labels: { [label]: '1' }, HostConfig: { NetworkMode: network } });
    made.push(sandbox);
    await sandbox.start();
    const container = await engine.createContainer({ Image: 'barge/hello:1', Labels: { [label]: '1' }, HostConfig: { NetworkMode: `container:${sandbox.id}` } });
    made.push(container);
    await container.start();
  });
  const seconds = (performance.now() - started) / 1000;
  await inParallel(made.length, 4, async (index) => void await made[index]!.remove({ force: true }));
  return seconds;
};

/** Seconds from the first create to the last pod's Running, as a watcher of the API sees it. */
const podSeconds = async (client: Client, count: number): Promise<number> => {
  const pods = client.of(Pod);
  const { metadata } = await pods.list({ namespace: 'default' });
  const stop = new AbortController();
  const running = new Set<string>();
  const all = Promise.withResolvers<void>();
  const watching = (async () => {
    for await (const events of pods.watch({ namespace: 'default', resourceVersion: metadata.resourceVersion, labelSelector: 'app=bench' }, stop.signal)) {
      for (const event of events) {
        if (event.type !== 'BOOKMARK' && event.type !== 'DELETED' && event.object.status?.phase === 'Running') running.add(event.object.metadata.name!);
      }
      if (running.size >= count) all.resolve();
    }
  })();
  const started = performance.now();
  await Promise.all(Array.from({ length: count }, () => pods.create({
    metadata: { generateName: 'bench-', namespace: 'default', labels: { app: 'bench' } },
    spec: { containers: [{ name: 'web', image: 'barge/hello:1' }], terminationGracePeriodSeconds: 1 },
  })));
  await all.promise;
  const seconds = (performance.now() - started) / 1000;
  stop.abort();
  await watching.catch(() => undefined);
  await pods.deleteCollection({ namespace: 'default', labelSelector: 'app=bench', gracePeriodSeconds: 0 });
  while ((await engine.listContainers({ filters: { label: ['barge.dev/pod-uid'] } })).length > 0) await delay(100);
  return seconds;
};

/** CPU seconds that a process has used, and its resident memory. */
const usage = async (pid: number): Promise<{ readonly cpuSeconds: number; readonly residentMb: number }> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024 };
};

await ensureImages();
const rows: string[][] = [];

const first: number[] = [];
const again: number[] = [];
let cluster: E2eCluster | undefined;
for (let round = 0; round < rounds; round++) {
  await cluster?.remove();
  let started = performance.now();
  cluster = await E2eCluster.start();
  first.push((performance.now() - started) / 1000);
  await cluster.end();
  started = performance.now();
  cluster = await cluster.again();
  again.push((performance.now() - started) / 1000);
}
rows.push(['barge up to Ready, first start', `${median(first).toFixed(2)} s`, '', '']);
rows.push(['barge up to Ready, later starts', `${median(again).toFixed(2)} s`, '', '']);

const running = cluster!;
try {
  await delay(15_000);
  const idleSeconds = 30;
  const from = await usage(running.pid);
  await delay(idleSeconds * 1000);
  const until = await usage(running.pid);
  rows.push(['idle: CPU of one core', `${((until.cpuSeconds - from.cpuSeconds) / idleSeconds * 100).toFixed(2)} %`, '', '']);
  rows.push(['idle: resident memory', `${until.residentMb.toFixed(0)} MB`, '', '']);

  const client = createClient(await connectByKubeconfig(running.kubeconfig));
  const pause = (await engine.listImages()).flatMap((image) => image.RepoTags ?? []).find((tag) => tag.startsWith('barge/pause'))!;
  await podSeconds(client, 1);
  for (const size of sizes) {
    const ours: number[] = [];
    const engines: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await podSeconds(client, size));
      // The engine at its best of several widths.
      const widths = size === 1 ? [1] : [2, 4, 8];
      const tries: number[] = [];
      for (const width of widths) tries.push(await engineSeconds(size, width, 'barge', pause));
      engines.push(Math.min(...tries));
    }
    rows.push([`create to Running, ${size} pod${size === 1 ? '' : 's'}`, `${median(ours).toFixed(2)} s`, `${median(engines).toFixed(2)} s`, (median(ours) / median(engines)).toFixed(2)]);
  }
} finally {
  await running.remove();
}
table(['what', 'barge', 'engine alone', 'ratio'], rows);
process.exit(0);
