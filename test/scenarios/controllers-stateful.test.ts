// StatefulSets on simulated nodes, against a real API server in this process.
import assert from 'node:assert/strict';
import test from 'ava';
import { isActive, isReady } from '../../controllers/pod-state.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { template } from '../helpers/workloads.ts';

const key = { namespace: 'default', name: 'db' };
const base = { serviceName: 'db', replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('v1') };
const claims = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] as unknown as StatefulSet['spec']['volumeClaimTemplates'];
const shown = (pods: readonly Pod[]): readonly string[] => pods.filter(isActive).map(({ metadata, spec }) => `${metadata.name} ${spec.containers[0]!.image}`).sort();

const setImage = (image: string) => (draft: { spec: { template: unknown } }): void => {
  draft.spec.template = structuredClone(template(image));
};

/** A cluster with a set, and the order in which names appeared and went. */
const cluster = async (t: Parameters<typeof controlledCluster>[0], spec: Partial<StatefulSet['spec']> = {}, options: Parameters<typeof controlledCluster>[1] = { outcome: () => 1_000 }) => {
  const all = await controlledCluster(t, options);
  const { client, clock, pods } = all;
  const log: string[] = [];
  let before = new Map<string, string>();
  await all.watchPods((present) => {
    const now = new Map(present.filter(isActive).map(({ metadata }) => [metadata.uid!, metadata.name!]));
    for (const [uid, name] of now) if (!before.has(uid)) log.push(`+${name}`);
    for (const [uid, name] of before) if (!now.has(uid)) log.push(`-${name}`);
    before = now;
  });
  await client.of(StatefulSet).create({ metadata: key, spec: { ...base, ...spec } });
  return {
    ...all,
    /** What came and went since it was last taken. */
    log,
    taken: () => log.splice(0),
    settled: (images: readonly string[], forMs = 60_000) => until(clock, async () => {
      const now = await pods();
      assert.deepEqual(shown(now), images.map((image, ordinal) => `db-${ordinal} ${image}`));
      assert.ok(now.every(isReady));
      assert.partialDeepStrictEqual((await client.of(StatefulSet).get(key)).status, { replicas: images.length, observedGeneration: (await client.of(StatefulSet).get(key)).metadata.generation! });
    }, forMs),
    update: (image: string) => client.of(StatefulSet).modify(key, setImage(image)),
    scale: (replicas: number) => client.of(StatefulSet).modify(key, (draft) => void (draft.spec.replicas = replicas)),
  };
};

test('pods come in order with names of their own, and go in reverse', async (t) => {
  const { settled, taken, log, scale, pods, client, clock } = await cluster(t);
  await settled(['v1', 'v1', 'v1']);
  t.deepEqual(taken(), ['+db-0', '+db-1', '+db-2']);
  const [first] = await pods();
  t.like(first!.metadata.labels, { 'statefulset.kubernetes.io/pod-name': 'db-0', 'apps.kubernetes.io/pod-index': '0' });
  t.like(first!.spec, { hostname: 'db-0', subdomain: 'db' });
  const { status } = await client.of(StatefulSet).get(key);
  t.like(status, { readyReplicas: 3, availableReplicas: 3, currentReplicas: 3, updatedReplicas: 3 });
  t.is(status!.currentRevision, status!.updateRevision);
  t.is(first!.metadata.labels!['controller-revision-hash'], status!.updateRevision);
  await scale(1);
  await settled(['v1']);
  t.deepEqual(taken(), ['-db-2', '-db-1']);
  await client.of(Pod).delete({ namespace: 'default', name: 'db-0' });
  await until(clock, () => assert.deepEqual(log, ['-db-0', '+db-0']));
});

test('Parallel starts and stops all at once, and updates one after the other', async (t) => {
  const { settled, taken, log, update, scale, clock } = await cluster(t, { podManagementPolicy: 'Parallel' });
  await until(clock, () => assert.deepEqual(log, ['+db-0', '+db-1', '+db-2']), 500);
  await settled(['v1', 'v1', 'v1']);
  taken();
  await update('v2');
  await settled(['v2', 'v2', 'v2']);
  t.deepEqual(taken(), ['-db-2', '+db-2', '-db-1', '+db-1', '-db-0', '+db-0']);
  await scale(0);
  await settled([]);
});

test('a rolling update goes from the highest number down to the partition; what is made below it is of the old template', async (t) => {
  const { settled, taken, log, update, client, clock } = await cluster(t, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } });
  await settled(['v1', 'v1', 'v1']);
  taken();
  await update('v2');
  await settled(['v1', 'v1', 'v2']);
  t.deepEqual(taken(), ['-db-2', '+db-2']);
  const { status } = await client.of(StatefulSet).get(key);
  t.like(status, { currentReplicas: 2, updatedReplicas: 1 });
  t.not(status!.currentRevision, status!.updateRevision);
  await client.of(Pod).delete({ namespace: 'default', name: 'db-0' });
  await until(clock, () => assert.ok(log.includes('+db-0')));
  await settled(['v1', 'v1', 'v2']);
  await client.of(StatefulSet).modify(key, (draft) => void (draft.spec.updateStrategy!.rollingUpdate!.partition = 0));
  await settled(['v2', 'v2', 'v2']);
  await until(clock, async () => {
    const { status: done } = await client.of(StatefulSet).get(key);
    assert.equal(done!.currentRevision, done!.updateRevision);
  });
});

test('maxUnavailable lets several go at once, and no more', async (t) => {
  const { settled, update, watchPods } = await cluster(t, { replicas: 5, podManagementPolicy: 'Parallel', updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } } });
  await settled(['v1', 'v1', 'v1', 'v1', 'v1']);
  let fewest = 5;
  await watchPods((all) => void (fewest = Math.min(fewest, all.filter((pod) => isActive(pod) && isReady(pod)).length)));
  await update('v2');
  await settled(['v2', 'v2', 'v2', 'v2', 'v2']);
  t.is(fewest, 3);
});

test('a broken update is mended by going back, without a pod deleted by hand', async (t) => {
  const { settled, taken, update, pods, clock } = await cluster(t, {}, { outcome: (pod) => (pod.spec.containers[0]!.image === 'bad' ? 'never' : 500) });
  await settled(['v1', 'v1', 'v1']);
  taken();
  await update('bad');
  await until(clock, async () => assert.deepEqual(shown(await pods()), ['db-0 v1', 'db-1 v1', 'db-2 bad']));
  await clock.advance(5_000);
  await rest();
  t.deepEqual(shown(await pods()), ['db-0 v1', 'db-1 v1', 'db-2 bad']);
  await update('v1');
  await settled(['v1', 'v1', 'v1']);
  t.deepEqual(taken(), ['-db-2', '+db-2', '-db-2', '+db-2']);
});

test('OnDelete, ended pods and a start ordinal', async (t) => {
  const { client, clock, pods, update, reasons } = await cluster(t, { replicas: 2, ordinals: { start: 5 }, updateStrategy: { type: 'OnDelete' } });
  await until(clock, async () => assert.deepEqual(shown(await pods()), ['db-5 v1', 'db-6 v1']));
  await update('v2');
  await rest();
  t.deepEqual(shown(await pods()), ['db-5 v1', 'db-6 v1']);
  await client.of(Pod).delete({ namespace: 'default', name: 'db-6' });
  await until(clock, async () => assert.deepEqual(shown(await pods()), ['db-5 v1', 'db-6 v2']));
  await client.of(Pod).modifyStatus({ namespace: 'default', name: 'db-5' }, (draft) => void (draft.status = { ...draft.status, phase: 'Failed' }));
  await until(clock, async () => assert.deepEqual(shown(await pods()), ['db-5 v2', 'db-6 v2']));
  t.true((await reasons('db')).some((line) => line.startsWith('RecreatingTerminatedPod')));
});

test('claims are made before their pods, stay when pods go, and are owned as the policy says', async (t) => {
  const { client, clock, pods, scale, settled } = await cluster(t, { volumeClaimTemplates: claims!, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } });
  await settled(['v1', 'v1', 'v1']);
  const names = async () => (await client.of(PersistentVolumeClaim).list({ namespace: 'default' })).items.map(({ metadata }) => `${metadata.name} ${metadata.ownerReferences?.[0]?.kind ?? ''}`);
  await until(clock, async () => assert.deepEqual(await names(), ['data-db-0 StatefulSet', 'data-db-1 StatefulSet', 'data-db-2 StatefulSet']));
  t.deepEqual((await pods())[1]!.spec.volumes?.find(({ name }) => name === 'data'), { name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } });
  await scale(2);
  await settled(['v1', 'v1']);
  t.is((await names()).length, 3);
  await client.of(StatefulSet).modify(key, (draft) => void (draft.spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Retain', whenScaled: 'Delete' }));
  await until(clock, async () => assert.deepEqual((await names()).slice(0, 2), ['data-db-0 ', 'data-db-1 ']));
  await scale(1);
  await settled(['v1']);
  await until(clock, async () => assert.ok(!(await names()).some((line) => line.startsWith('data-db-1'))), 120_000);
  t.true((await names()).includes('data-db-0 '));
});

test('controllers that are started anew in the middle of it go on, with never two pods of one number', async (t) => {
  const { settled, update, restart, watchPods, clock } = await cluster(t);
  let doubled = 0;
  await watchPods((all) => {
    const names = all.map(({ metadata }) => metadata.name);
    doubled += names.length - new Set(names).size;
  });
  for (const image of ['v2', 'v3']) {
    await clock.advance(1_500);
    await restart();
    await update(image);
    await clock.advance(1_500);
    await restart();
  }
  await settled(['v3', 'v3', 'v3'], 120_000);
  t.is(doubled, 0);
});
