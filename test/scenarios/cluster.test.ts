/** Whole-cluster scenarios: what users see when all parts work together, on several simulated machines and a fake clock. */
import assert from 'node:assert/strict';
import test from 'ava';
import { createClient, type Client, type NewObject } from '../../client/client.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { agentPki } from '../kubelet-lite/agent-fixture.ts';
import { until, wholeCluster, type WholeCluster } from '../helpers/whole-cluster.ts';

const pki = await agentPki();

const start = async (t: { teardown(fn: () => Promise<void>): void }, options: { readonly nodes: number; readonly cpuCount?: number }): Promise<WholeCluster> => {
  const cluster = await wholeCluster({ ...options, serving: pki.serving, ca: pki.ca });
  t.teardown(() => cluster.close());
  return cluster;
};

const web = (replicas: number, more: { readonly image?: string; readonly cpu?: string } = {}): NewObject<Deployment> => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas, selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{
          name: 'web', image: more.image ?? 'web:1', ports: [{ containerPort: 80 }],
          ...(more.cpu === undefined ? {} : { resources: { requests: { cpu: more.cpu } } }),
        }],
      },
    },
  },
} as NewObject<Deployment>);

const service: NewObject<Service> = { metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } } as NewObject<Service>;

/** The client of the API server that runs now. */
const clientOf = (cluster: WholeCluster): Client => createClient(cluster.api.transport);

const podsOf = async (cluster: WholeCluster): Promise<readonly Pod[]> => (await clientOf(cluster).of(Pod).list({ namespace: 'default', labelSelector: 'app=web' })).items;

const settled = (cluster: WholeCluster, replicas: number, image: string, forMs = 60_000): Promise<readonly Pod[]> => until(cluster.clock, async () => {
  const deployment = await clientOf(cluster).of(Deployment).get({ namespace: 'default', name: 'web' });
  const pods = await podsOf(cluster);
  assert.equal(deployment.status?.observedGeneration, deployment.metadata.generation);
  assert.equal(deployment.status?.availableReplicas, replicas);
  assert.equal(pods.length, replicas);
  assert.ok(pods.every((pod) => pod.spec?.containers[0]?.image === image && pod.status?.phase === 'Running'));
  return pods;
}, { forMs });

/** Addresses at which a container of the service really runs. */
const answering = async (cluster: WholeCluster): Promise<ReadonlySet<string>> => {
  const sandboxes = (await Promise.all(cluster.machines.map(({ runtime }) => runtime.list()))).flat();
  return new Set(sandboxes.filter(({ ready, containers }) => ready && containers.some(({ status }) => status === 'running')).flatMap(({ ip }) => ip ?? []));
};

test('a rolling update leaves every proxy enough endpoints, and none that does not run', async (t) => {
  const cluster = await start(t, { nodes: 3 });
  const client = clientOf(cluster);
  await client.of(Service).create(service);
  await client.of(Deployment).create(web(4));
  const before = await settled(cluster, 4, 'web:1');
  t.is(new Set(before.map((pod) => pod.spec?.nodeName)).size, 3, 'spread over all nodes');
  await until(cluster.clock, () => cluster.machines.forEach((machine) => assert.equal(machine.endpoints('web').length, 4)));

  await client.of(Deployment).modify({ namespace: 'default', name: 'web' }, (draft) => { draft.spec!.template.spec!.containers[0]!.image = 'web:2'; });
  let looks = 0;
  const tables = new Map<string, number>();
  for (const machine of cluster.machines) {
    machine.backend.onApply = () => {
      tables.set(machine.name, (tables.get(machine.name) ?? 0) + 1);
      if (machine.endpoints('web').length < 3) t.fail(`${machine.name} has ${machine.endpoints('web').length} endpoints of at least 3`);
    };
  }
  await until(cluster.clock, async () => {
    const running = await answering(cluster);
    for (const machine of cluster.machines) {
      const endpoints = machine.endpoints('web');
      for (const ip of endpoints) if (!running.has(ip)) t.fail(`${machine.name} sends to ${ip}, where nothing runs`);
    }
    looks++;
    const pods = await podsOf(cluster);
    assert.equal(pods.length, 4);
    assert.ok(pods.every((pod) => pod.spec?.containers[0]?.image === 'web:2'));
  }, { forMs: 120_000, stepMs: 5 });
  t.true(looks >= 3, `${looks} looks`);
  // Two of four pods go at a time at most, each when it is in no table; a proxy may hear of all else at once.
  for (const { name } of cluster.machines) t.true((tables.get(name) ?? 0) >= 2, `${name}: ${tables.get(name)} tables`);
  await settled(cluster, 4, 'web:2');
});

test('a control plane that dies in the middle of a rollout finishes it, and restarts no container', async (t) => {
  const cluster = await start(t, { nodes: 2 });
  await clientOf(cluster).of(Deployment).create(web(4));
  await settled(cluster, 4, 'web:1');
  await clientOf(cluster).of(Deployment).modify({ namespace: 'default', name: 'web' }, (draft) => { draft.spec!.template.spec!.containers[0]!.image = 'web:2'; });
  await until(cluster.clock, async () => assert.ok((await podsOf(cluster)).some((pod) => pod.spec?.containers[0]?.image === 'web:2')));
  await cluster.restartControlPlane();
  const pods = await settled(cluster, 4, 'web:2', 120_000);
  t.deepEqual(pods.flatMap((pod) => pod.status?.containerStatuses?.map((status) => status.restartCount)), [0, 0, 0, 0]);
});

test('a lost node: its pods run elsewhere, and when it returns nothing is left of them there', async (t) => {
  const cluster = await start(t, { nodes: 2 });
  await clientOf(cluster).of(Deployment).create(web(4));
  await settled(cluster, 4, 'web:1');
  const [, lost] = cluster.machines;
  t.true((await lost!.runtime.list()).length > 0);
  await lost!.stop();

  await until(cluster.clock, async () => {
    const node = await clientOf(cluster).of(Node).get({ name: lost!.name });
    assert.equal(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'Unknown');
    assert.ok(node.spec?.taints?.some(({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute'));
  }, { forMs: 90_000 });
  await until(cluster.clock, async () => {
    const alive = (await podsOf(cluster)).filter((pod) => pod.spec?.nodeName === 'node-1' && pod.metadata.deletionTimestamp === undefined);
    assert.equal(alive.length, 4);
    assert.ok(alive.every((pod) => pod.status?.phase === 'Running'));
  }, { forMs: 400_000 });

  await lost!.start();
  await until(cluster.clock, async () => {
    assert.deepEqual(await lost!.runtime.list(), []);
    assert.equal((await podsOf(cluster)).length, 4);
    const node = await clientOf(cluster).of(Node).get({ name: lost!.name });
    assert.deepEqual(node.spec?.taints ?? [], []);
  }, { forMs: 120_000 });
  t.pass();
});

test('a pod that fits nowhere says why, and runs as soon as there is room', async (t) => {
  const cluster = await start(t, { nodes: 2, cpuCount: 2 });
  await clientOf(cluster).of(Deployment).create(web(3, { cpu: '1500m' }));
  const waiting = await until(cluster.clock, async () => {
    const pod = (await podsOf(cluster)).find((one) => one.spec?.nodeName === undefined);
    const condition = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    assert.equal(condition?.reason, 'Unschedulable');
    return { pod: pod!, message: condition?.message };
  });
  t.is(waiting.message, '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.');
  await clientOf(cluster).of(Deployment).modify({ namespace: 'default', name: 'web' }, (draft) => { draft.spec!.replicas = 2; });
  await settled(cluster, 2, 'web:1');
});

test('a container that dies is started again on its own machine; a pod that is deleted is replaced', async (t) => {
  const cluster = await start(t, { nodes: 2 });
  await clientOf(cluster).of(Deployment).create(web(2));
  const [victim, other] = await settled(cluster, 2, 'web:1');
  cluster.machines.find(({ name }) => name === victim!.spec?.nodeName)!.runtime.kill(victim!.metadata.uid!, 'web');
  await until(cluster.clock, async () => {
    const pod = (await podsOf(cluster)).find(({ metadata }) => metadata.uid === victim!.metadata.uid);
    assert.equal(pod?.status?.containerStatuses?.[0]?.restartCount, 1);
    assert.equal(pod.status?.containerStatuses[0].lastState?.terminated?.exitCode, 137);
    assert.equal(pod.status?.containerStatuses[0].ready, true);
  });
  await clientOf(cluster).of(Pod).delete({ namespace: 'default', name: other!.metadata.name! });
  const pods = await settled(cluster, 2, 'web:1', 90_000);
  t.false(pods.some(({ metadata }) => metadata.uid === other!.metadata.uid));
});

test('a Job whose containers fail once is done by starting them again where they are', async (t) => {
  const cluster = await start(t, { nodes: 2 });
  for (const { runtime } of cluster.machines) runtime.script('flaky:1', { runs: [{ exit: { afterMs: 100, code: 1 } }, { exit: { afterMs: 100, code: 0 } }] });
  const client = clientOf(cluster);
  const labels = { app: 'web' };
  await client.of(Job).create({ metadata: { namespace: 'default', name: 'work' }, spec: { parallelism: 2, completions: 4, template: { metadata: { labels }, spec: { restartPolicy: 'OnFailure', containers: [{ name: 'web', image: 'flaky:1' }] } } } });
  const { status } = await until(cluster.clock, async () => {
    const job = await client.of(Job).get({ namespace: 'default', name: 'work' });
    assert.ok(job.status?.conditions?.some(({ type, status: is }) => type === 'Complete' && is === 'True'));
    return job;
  }, { forMs: 120_000 });
  t.like(status, { succeeded: 4, failed: undefined });
  const pods = await podsOf(cluster);
  t.deepEqual(pods.map((pod) => [pod.status?.phase, pod.status?.containerStatuses?.[0]?.restartCount]), Array.from({ length: 4 }, () => ['Succeeded', 1]));
});

test('a machine that runs out of memory ends the pod that uses most of it, and its successor comes up on another', async (t) => {
  const cluster = await start(t, { nodes: 2 });
  let greedyBytes = 0;
  cluster.machines[0]!.runtime.script('web:1', { runs: [{ usage: () => ({ cpuMilli: 1, memoryBytes: greedyBytes }) }] });
  const client = clientOf(cluster);
  await client.of(Deployment).create(web(2));
  const before = await settled(cluster, 2, 'web:1');
  t.deepEqual(before.map((pod) => pod.spec?.nodeName).toSorted(), cluster.machines.map(({ name }) => name).toSorted());
  greedyBytes = 8 * 2 ** 30;
  await until(cluster.clock, async () => {
    const pods = await podsOf(cluster);
    const running = pods.filter(({ status }) => status?.phase === 'Running');
    assert.deepEqual(running.map((pod) => pod.spec?.nodeName), [cluster.machines[1]!.name, cluster.machines[1]!.name]);
    const evicted = pods.filter(({ status }) => status?.reason === 'Evicted');
    assert.deepEqual(evicted.map((pod) => pod.spec?.nodeName), [cluster.machines[0]!.name]);
    const node = await client.of(Node).get({ name: cluster.machines[0]!.name });
    assert.ok(node.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/memory-pressure'));
  }, { forMs: 120_000 });
  // When the node has said for long enough that it has memory again it gets pods again.
  greedyBytes = 0;
  await until(cluster.clock, async () => assert.deepEqual((await client.of(Node).get({ name: cluster.machines[0]!.name })).spec?.taints ?? [], []), { forMs: 400_000, stepMs: 5_000 });
  t.pass();
});
