/** Docker Swarm's language on whole clusters of simulated machines: what users see of it, and what wakes a pod that waits. */
import assert from 'node:assert/strict';
import test from 'ava';
import { createClient, type Client, type NewObject } from '../../client/client.ts';
import { conditionOf } from '../../schemas/conditions.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { agentPki } from '../kubelet-lite/agent-fixture.ts';
import { until, wholeCluster, type WholeCluster } from '../helpers/whole-cluster.ts';

const pki = await agentPki();

const start = async (t: { teardown(fn: () => Promise<void>): void }, nodes: number): Promise<{ readonly cluster: WholeCluster; readonly client: Client }> => {
  const cluster = await wholeCluster({ nodes, serving: pki.serving, ca: pki.ca });
  t.teardown(() => cluster.close());
  return { cluster, client: createClient(cluster.api.transport) };
};

const swarm = (words: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(words).map(([name, value]) => [`swarm.barge.dev/${name}`, value]));

const deployment = (replicas: number, image: string, words: Readonly<Record<string, string>>): NewObject<Deployment> => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas, selector: { matchLabels: { app: 'web' } }, strategy: { type: 'Recreate' },
    template: { metadata: { labels: { app: 'web' }, annotations: swarm(words) }, spec: { containers: [{ name: 'web', image }] } },
  },
} as NewObject<Deployment>);

const lone = (name: string, words: Readonly<Record<string, string>>): NewObject<Pod> => ({ metadata: { name, namespace: 'default', annotations: swarm(words) }, spec: { containers: [{ name: 'main', image: `${name}:1` }] } } as NewObject<Pod>);

const placedOn = (cluster: WholeCluster, client: Client, name: string, nodeName: string): Promise<void> => until(cluster.clock, async () => {
  const { spec, status } = await client.of(Pod).get({ namespace: 'default', name });
  assert.deepEqual([spec.nodeName, status?.phase], [nodeName, 'Running']);
});

const waits = (cluster: WholeCluster, client: Client, name: string, message: string): Promise<void> => until(cluster.clock, async () => {
  // What preemption could do comes behind it.
  const said = conditionOf((await client.of(Pod).get({ namespace: 'default', name })).status?.conditions, 'PodScheduled')?.message ?? '';
  assert.equal(said.slice(0, message.length), message);
});

test('a pod that waits is woken by a label, by what an engine says, by an image and by a pod that comes', async (t) => {
  const { cluster, client } = await start(t, 2);
  const nodes = client.of(Node);
  const pods = client.of(Pod);
  await pods.create(lone('disk', { constraints: 'storage==ssd' }));
  await pods.create(lone('driver', { constraints: 'storagedriver==btrfs' }));
  await pods.create(lone('near', { affinities: 'container==db' }));
  await pods.create(lone('image', { affinities: 'image==postgres' }));
  await pods.create(lone('link', { dependencies: 'link=db:database' }));
  await waits(cluster, client, 'disk', "0/2 nodes are available: 2 node(s) didn't match Swarm constraint storage==ssd.");
  await waits(cluster, client, 'driver', "0/2 nodes are available: 2 node(s) didn't match Swarm constraint storagedriver==btrfs.");
  await waits(cluster, client, 'near', "0/2 nodes are available: 2 node(s) didn't match Swarm affinity container==db.");
  await waits(cluster, client, 'image', "0/2 nodes are available: 2 node(s) didn't match Swarm affinity image==postgres.");
  await waits(cluster, client, 'link', "0/2 nodes are available: 2 node(s) didn't have Swarm dependency db.");

  await nodes.modify({ name: 'node-2' }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, storage: 'ssd' }));
  await placedOn(cluster, client, 'disk', 'node-2');
  await nodes.modify({ name: 'node-1' }, (draft) => void (draft.metadata.annotations = { ...draft.metadata.annotations, 'swarm.barge.dev/storagedriver': 'btrfs' }));
  await placedOn(cluster, client, 'driver', 'node-1');
  await nodes.modifyStatus({ name: 'node-1' }, (draft) => void (draft.status = { ...draft.status, images: [{ names: ['docker.io/library/postgres:16'], sizeBytes: 1 }] }));
  await placedOn(cluster, client, 'image', 'node-1');
  await pods.create(lone('db', { constraints: 'node==node-2' }));
  await placedOn(cluster, client, 'near', 'node-2');
  await placedOn(cluster, client, 'link', 'node-2');

  await pods.create(lone('odd', { constraints: 'storage==none' }));
  await waits(cluster, client, 'odd', "0/2 nodes are available: 2 node(s) didn't match Swarm constraint storage==none.");
  await pods.modify({ namespace: 'default', name: 'odd' }, (draft) => void (draft.metadata.annotations = swarm({ constraints: 'storage!=ssd' })));
  await placedOn(cluster, client, 'odd', 'node-1');
  t.pass();
});

test('a Deployment keeps to its most replicas for a node, through an update, and to the racks', async (t) => {
  const { cluster, client } = await start(t, 3);
  for (const [name, rack] of [['node-1', 'a'], ['node-2', 'a'], ['node-3', 'b']] as const) {
    await client.of(Node).modify({ name }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, rack }));
  }
  const byNode = async (image: string): Promise<Readonly<Record<string, number>>> => {
    const { items } = await client.of(Pod).list({ namespace: 'default', labelSelector: 'app=web' });
    const counts: Record<string, number> = {};
    for (const { spec, status } of items) if (spec.containers[0]?.image === image) counts[spec.nodeName ?? 'none'] = (counts[spec.nodeName ?? 'none'] ?? 0) + (status?.phase === 'Running' || spec.nodeName === undefined ? 1 : 0);
    return counts;
  };
  await client.of(Deployment).create(deployment(7, 'web:1', { 'max-replicas-per-node': '2', preferences: 'spread=node.labels.rack' }));
  await until(cluster.clock, async () => assert.deepEqual(await byNode('web:1'), { 'node-1': 2, 'node-2': 2, 'node-3': 2, none: 1 }));
  const key = { namespace: 'default', name: 'web' };
  await client.of(Deployment).modify(key, (draft) => {
    draft.spec.replicas = 4;
    draft.spec.template.spec.containers[0]!.image = 'web:2';
  });
  await until(cluster.clock, async () => {
    const counts = await byNode('web:2');
    assert.deepEqual([(counts['node-1'] ?? 0) + (counts['node-2'] ?? 0), counts['node-3'], counts['none']], [2, 2, undefined]);
  }, { forMs: 60_000 });
  t.pass();
});
