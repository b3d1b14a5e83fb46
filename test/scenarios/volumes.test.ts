/** Volumes with all parts at work: API server, controllers, scheduler and agents with real folders, on simulated machines. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { createClient, type Client, type NewObject } from '../../client/client.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { agentPki } from '../kubelet-lite/agent-fixture.ts';
import { until, wholeCluster, type WholeCluster } from '../helpers/whole-cluster.ts';

const pki = await agentPki();

const clientOf = (cluster: WholeCluster): Client => createClient(cluster.api.transport);
const key = (name: string) => ({ namespace: 'default', name });

const database = (replicas: number): NewObject<StatefulSet> => ({
  metadata: key('db'),
  spec: {
    serviceName: 'db', replicas, podManagementPolicy: 'Parallel', persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'db:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }], terminationGracePeriodSeconds: 0 } },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
  },
} as unknown as NewObject<StatefulSet>);

const running = (cluster: WholeCluster, image: string, replicas: number): Promise<readonly Pod[]> => until(cluster.clock, async () => {
  const { items } = await clientOf(cluster).of(Pod).list({ namespace: 'default', labelSelector: 'app=db' });
  assert.equal(items.length, replicas);
  assert.ok(items.every(({ spec, status, metadata }) => spec.containers[0]!.image === image && status?.phase === 'Running' && metadata.deletionTimestamp === undefined));
  return items;
}, { forMs: 120_000 });

const pathOf = async (cluster: WholeCluster, claim: string): Promise<string> => {
  const { spec } = await clientOf(cluster).of(PersistentVolumeClaim).get(key(claim));
  return (await clientOf(cluster).of(PersistentVolume).get({ name: spec.volumeName! })).spec.local!.path;
};

test('a set keeps its data on its nodes through updates, restarts and losses, and takes its folders with it', async (t) => {
  const cluster = await wholeCluster({ nodes: 2, serving: pki.serving, ca: pki.ca });
  t.teardown(() => cluster.close());
  const { clock } = cluster;
  await clientOf(cluster).of(StatefulSet).create(database(3));
  const before = await running(cluster, 'db:1', 3);
  const places = new Map(before.map(({ metadata, spec }) => [metadata.name!, spec.nodeName!]));
  t.is(new Set(places.values()).size, 2, 'pods are spread, and their volumes with them');
  const paths = new Map<string, string>();
  for (const name of places.keys()) {
    const path = await pathOf(cluster, `data-${name}`);
    t.regex(path, new RegExp(`/${places.get(name)}/volumes/pvc-[-0-9a-f]+_default_data-${name}$`));
    paths.set(name, path);
    await writeFile(`${path}/who`, name);
  }

  // An update: new pods, on the nodes where their volumes are.
  await clientOf(cluster).of(StatefulSet).modify(key('db'), (draft) => void (draft.spec.template.spec!.containers[0]!.image = 'db:2'));
  await running(cluster, 'db:2', 3);
  // All central parts die, and a pod is lost by force.
  await cluster.restartControlPlane();
  await clientOf(cluster).of(Pod).delete(key('db-1'), { gracePeriodSeconds: 0 });
  const after = await running(cluster, 'db:2', 3);
  t.deepEqual(new Map(after.map(({ metadata, spec }) => [metadata.name!, spec.nodeName!])), places);
  for (const [name, path] of paths) {
    t.is(await pathOf(cluster, `data-${name}`), path);
    t.is(await readFile(`${path}/who`, 'utf8'), name);
  }

  // A node that takes no pods keeps those waiting whose volumes are on it.
  const home = places.get('db-0')!;
  await clientOf(cluster).of(Node).modify({ name: home }, (draft) => void (draft.spec = { ...draft.spec, unschedulable: true }));
  await clientOf(cluster).of(Pod).delete(key('db-0'), { gracePeriodSeconds: 0 });
  await until(clock, async () => assert.match(
    (await clientOf(cluster).of(Pod).get(key('db-0'))).status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? '',
    /^0\/2 nodes are available: 1 node\(s\) had volume node affinity conflict, 1 node\(s\) were unschedulable\./,
  ));
  await clientOf(cluster).of(Node).modify({ name: home }, (draft) => void (draft.spec = { ...draft.spec, unschedulable: false }));
  await running(cluster, 'db:2', 3);

  // Fewer pods leave their claims, as the policy says; with the set all of it goes, also on a node that was away.
  await clientOf(cluster).of(StatefulSet).modify(key('db'), (draft) => void (draft.spec.replicas = 2));
  await running(cluster, 'db:2', 2);
  t.is(await readFile(`${paths.get('db-2')!}/who`, 'utf8'), 'db-2');
  await clientOf(cluster).of(StatefulSet).modify(key('db'), (draft) => void (draft.spec.replicas = 0));
  await running(cluster, 'db:2', 0);
  const away = cluster.machines[0]!;
  await away.stop();
  await clientOf(cluster).of(StatefulSet).delete(key('db'));
  await until(clock, async () => assert.deepEqual((await clientOf(cluster).of(PersistentVolumeClaim).list()).items, []), { forMs: 120_000 });
  await until(clock, async () => {
    const left = (await clientOf(cluster).of(PersistentVolume).list()).items;
    assert.ok(left.length > 0);
    assert.ok(left.every(({ metadata }) => metadata.deletionTimestamp !== undefined && metadata.annotations?.['barge.dev/node'] === away.name));
  }, { forMs: 60_000 });
  await away.start();
  await until(clock, async () => {
    assert.deepEqual((await clientOf(cluster).of(PersistentVolume).list()).items, []);
    for (const path of paths.values()) assert.deepEqual(await readdir(dirname(path)), []);
  }, { forMs: 60_000 });
});
