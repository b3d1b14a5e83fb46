/**
 * End to end on a real engine, as root: how long `barge up` takes to be Ready, how long pods take from create to Running
 * beside `docker run` of the same container on the same network (one create and one start through the engine's API, without
 * the time that the docker program itself needs), and what an idle cluster uses. One run compares all sides in turn, several
 * rounds each, and prints medians: barge with as many sandboxes made ahead as pods come, with its default, with none, and
 * the engine at its best of several widths. A round begins when the sandboxes are there, or as many
 * as pods come; making them is outside of the time, for pods and for the engine's containers alike.
 *
 * usage: node bench/cluster.ts [ROUNDS] [pods]      with `pods`: only the rows about pods
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { createClient, type Client } from '../client/client.ts';
import { connectDocker } from '../kubelet-lite/runtime/docker-client.ts';
import { readConfig } from '../cli/config.ts';
import { connectByKubeconfig } from './connect.ts';
import { E2eCluster, ensureImages } from '../test/helpers/e2e.ts';
import { median, table } from './table.ts';

const rounds = Number(process.argv[2] ?? 5);
const podsOnly = process.argv[3] === 'pods';
const sizes = [1, 10, 30] as const;
const engine = connectDocker(process.env['DOCKER_HOST']);
const label = 'barge.dev/bench';
/** As many as the most pods that come at once; barge's own number; none. */
const aheads = [30, readConfig({ flags: {}, env: {}, root: true }).warmSandboxes, 0];

const inParallel = async (count: number, width: number, work: (index: number) => Promise<void>): Promise<void> => {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, count) }, async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  }));
};

/** Seconds the engine takes to run the container, `count` times, some at once. */
const engineSeconds = async (count: number, width: number, network: string): Promise<number> => {
  const made: Docker.Container[] = [];
  const started = performance.now();
  await inParallel(count, width, async () => {
    const container = await engine.createContainer({ Image: 'barge/hello:1', Labels: { [label]: '1' }, HostConfig: { NetworkMode: network } });
    made.push(container);
    await container.start();
  });
  const seconds = (performance.now() - started) / 1000;
  await inParallel(made.length, 4, async (index) => void await made[index]!.remove({ force: true }));
  return seconds;
};

const named = async (name: string): Promise<number> => (await engine.listContainers({ filters: { name: [name] } })).length;

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
  while (await named('barge_.*_bench-') > 0) await delay(100);
  return seconds;
};

/** CPU seconds that a process has used, and its resident memory. */
const usage = async (pid: number): Promise<{ readonly cpuSeconds: number; readonly residentMb: number }> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024 };
};

const started = async (args: readonly string[]): Promise<{ readonly cluster: E2eCluster; readonly seconds: number }> => {
  const from = performance.now();
  const cluster = await E2eCluster.start({ args });
  return { cluster, seconds: (performance.now() - from) / 1000 };
};

const startRows = async (): Promise<string[][]> => {
  const first: number[] = [];
  const again: number[] = [];
  let cluster: E2eCluster | undefined;
  for (let round = 0; round < rounds; round++) {
    await cluster?.remove();
    const begun = await started([]);
    first.push(begun.seconds);
    await begun.cluster.end();
    const from = performance.now();
    cluster = await begun.cluster.again();
    again.push((performance.now() - from) / 1000);
  }
  await delay(15_000);
  const idleSeconds = 30;
  const from = await usage(cluster!.pid);
  await delay(idleSeconds * 1000);
  const until = await usage(cluster!.pid);
  await cluster!.remove();
  return [
    ['barge up to Ready, first start', `${median(first).toFixed(2)} s`], ['barge up to Ready, later starts', `${median(again).toFixed(2)} s`],
    ['idle: CPU of one core', `${((until.cpuSeconds - from.cpuSeconds) / idleSeconds * 100).toFixed(2)} %`], ['idle: resident memory', `${until.residentMb.toFixed(0)} MB`],
  ];
};

/** By the number of sandboxes made ahead, in turn: the seconds of each size, and those of the engine in the same minute. */
const podRows = async (): Promise<string[][]> => {
  const ours = new Map<string, number[]>();
  const engines = new Map<number, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const ahead of aheads) {
      const { cluster } = await started(['--warm-sandboxes', String(ahead)]);
      try {
        const client = createClient(await connectByKubeconfig(cluster.kubeconfig));
        await podSeconds(client, 1);
        for (const size of sizes) {
          while (await named('barge_warm-') < Math.min(ahead, size)) await delay(100);
          await delay(1_000);
          const key = `${size} pod${size === 1 ? '' : 's'}, ${ahead} sandboxes ahead`;
          ours.set(key, [...(ours.get(key) ?? []), await podSeconds(client, size)]);
          while (await named('barge_warm-') < Math.min(ahead, size)) await delay(100);
          const tries: number[] = [];
          for (const width of size === 1 ? [1] : [2, 4, 8]) tries.push(await engineSeconds(size, width, 'barge'));
          engines.set(size, [...(engines.get(size) ?? []), Math.min(...tries)]);
        }
      } finally {
        await cluster.remove();
      }
    }
  }
  return sizes.flatMap((size) => [...ours].filter(([key]) => key.startsWith(`${size} `)).map(([key, seconds]) => {
    const alone = median(engines.get(size)!);
    return [key, `${median(seconds).toFixed(2)} s`, `${alone.toFixed(2)} s`, (median(seconds) / alone).toFixed(2)];
  }));
};

await ensureImages();
if (!podsOnly) table(['what', 'barge'], await startRows());
table(['create to Running', 'barge', 'docker run', 'ratio'], await podRows());
process.exit(0);
