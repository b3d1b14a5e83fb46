/**
 * A node with as many pods as it takes, on a real engine, as root: how long all of them take from create to Running, what
 * the whole of `barge up` (server, controllers, scheduler, agent, proxy, DNS) uses when nothing happens, and how long a barge that is
 * started again takes until its agent answers for each of the pods, all of which went on. Throws where one did not.
 *
 * usage: node bench/full-node.ts [PODS]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../client/client.ts';
import { mostPods } from '../kubelet-lite/node-status.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { containers, E2eCluster, ensureImages } from '../test/helpers/e2e.ts';
import { connectByKubeconfig } from './connect.ts';
import { processorUs, residentMb } from './processes.ts';
import { table } from './table.ts';

const count = Number(process.argv[2] ?? mostPods);
const restSeconds = 30;
const idleSeconds = 30;

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
};
const cell = (seconds: number): string => `${seconds.toFixed(1)} s`;

await ensureImages();
let cluster = await E2eCluster.start();
try {
  const pods = createClient(await connectByKubeconfig(cluster.kubeconfig)).of(Pod);
  const started = await secondsOf(async () => {
    await Promise.all(Array.from({ length: count }, () => pods.create({
      metadata: { generateName: 'full-', namespace: 'default' }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image: 'barge/hello:1' }] },
    })));
    while ((await pods.list({ namespace: 'default' })).items.filter(({ status }) => status?.phase === 'Running').length < count) await delay(200);
  });
  const ran = (await containers()).toSorted();

  await delay(restSeconds * 1000);
  const beforeUs = await processorUs(cluster.pid);
  await delay(idleSeconds * 1000);
  const idle = (await processorUs(cluster.pid) - beforeUs) / 1e6 / idleSeconds;
  const memoryMb = await residentMb(cluster.pid);

  const names = (await pods.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name!);
  await cluster.end();
  const adopted = await secondsOf(async () => {
    cluster = await cluster.again();
    const api = await connectByKubeconfig(cluster.kubeconfig);
    for (const name of names) {
      // Refused until the agent knows the pod's container.
      while (!await api.raw({ method: 'GET', path: `/api/v1/namespaces/default/pods/${name}/log?tailLines=1` }).then(() => true, () => false)) await delay(20);
    }
  });
  const again = (await containers()).toSorted();
  if (again.join() !== ran.join()) throw new Error(`containers were started or stopped by the restart: ${ran.length} before, ${again.length} after, ${again.filter((id) => ran.includes(id)).length} of them the same`);

  table(['what', 'barge'], [
    [`${count} pods from create to Running`, cell(started)], [`idle: CPU of one core, over ${idleSeconds} s`, `${(idle * 100).toFixed(2)} %`], ['idle: resident memory', `${memoryMb.toFixed(0)} MB`],
    [`started again: from the start to answers for all ${count}, no container touched`, cell(adopted)],
  ]);
} finally {
  await cluster.remove();
}
process.exit(0);
