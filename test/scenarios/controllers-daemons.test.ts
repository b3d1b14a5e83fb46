// DaemonSets and ReplicationControllers on simulated nodes, against a real API server in this process.
import assert from 'node:assert/strict';
import test from 'ava';
import { ControllerRevision } from '../../schemas/kinds/apps/controller-revision.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { isActive, isReady } from '../../controllers/pod-state.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { template } from '../helpers/workloads.ts';

const key = { namespace: 'default', name: 'web' };
const selector = { matchLabels: { app: 'web' } };
const onNodes = (pods: readonly Pod[]): readonly string[] => pods.filter(isActive).map(({ spec }) => `${spec.nodeName ?? '-'} ${spec.containers[0]!.image}`).sort();

const setImage = (image: string) => (draft: { spec: { template: unknown } }): void => {
  draft.spec.template = structuredClone(template(image));
};

test('a ReplicationController keeps its number, adopts what fits, and is scaled', async (t) => {
  const { client, clock, pods } = await controlledCluster(t);
  await client.of(Pod).create({ metadata: { name: 'orphan', namespace: 'default', labels: { app: 'web' } }, spec: template('v0').spec });
  await client.of(ReplicationController).create({ metadata: key, spec: { replicas: 3, template: template('v1') } });
  await until(clock, async () => {
    assert.deepEqual((await pods()).map(({ metadata }) => metadata.ownerReferences?.[0]?.kind), ['ReplicationController', 'ReplicationController', 'ReplicationController']);
    assert.partialDeepStrictEqual((await client.of(ReplicationController).get(key)).status, { replicas: 3, readyReplicas: 3, availableReplicas: 3 });
  });
  t.true((await pods()).some(({ metadata }) => metadata.name === 'orphan'));
  await client.of(ReplicationController).modify(key, (draft) => void (draft.spec.replicas = 1));
  await until(clock, async () => assert.equal((await pods()).length, 1));
});

test('a DaemonSet runs one pod on each node, also on one that comes, and none where it no longer fits', async (t) => {
  const { client, clock, pods } = await controlledCluster(t);
  await client.of(Node).modify({ name: 'n3' }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, disk: 'slow' }));
  const spec = { ...template('v1').spec, affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'NotIn' as const, values: ['slow'] }] }] } } } };
  await client.of(DaemonSet).create({ metadata: key, spec: { selector, template: { ...template('v1'), spec } } });
  await until(clock, async () => {
    assert.deepEqual(onNodes(await pods()), ['n1 v1', 'n2 v1']);
    assert.deepEqual((await client.of(DaemonSet).get(key)).status, {
      currentNumberScheduled: 2, numberMisscheduled: 0, desiredNumberScheduled: 2, numberReady: 2, observedGeneration: 1, updatedNumberScheduled: 2, numberAvailable: 2,
    });
  });
  await client.of(Node).modify({ name: 'n3' }, (draft) => void (draft.metadata.labels!['disk'] = 'fast'));
  await until(clock, async () => assert.deepEqual(onNodes(await pods()), ['n1 v1', 'n2 v1', 'n3 v1']));
  await client.of(Node).modify({ name: 'n1' }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, disk: 'slow' }));
  await until(clock, async () => assert.deepEqual(onNodes(await pods()), ['n2 v1', 'n3 v1']));
  // A taint keeps new pods off and lets the old one stay; NoExecute drives it away.
  await client.of(Node).modify({ name: 'n2' }, (draft) => void (draft.spec = { ...draft.spec, taints: [{ key: 'a', effect: 'NoSchedule' }] }));
  await until(clock, async () => assert.equal((await client.of(DaemonSet).get(key)).status?.numberMisscheduled, 1));
  t.deepEqual(onNodes(await pods()), ['n2 v1', 'n3 v1']);
  await client.of(Node).modify({ name: 'n2' }, (draft) => void (draft.spec = { ...draft.spec, taints: [{ key: 'a', effect: 'NoExecute' }] }));
  await until(clock, async () => assert.deepEqual(onNodes(await pods()), ['n3 v1']));
});

for (const [what, rollingUpdate, missing, most] of [
  ['with maxUnavailable', { maxUnavailable: 1 }, 1, 3], ['with maxSurge', { maxUnavailable: 0, maxSurge: 1 }, 0, 4],
] as const) {
  test(`a rolling update of a DaemonSet ${what} keeps its bounds, and can be undone`, async (t) => {
    const { client, clock, pods, watchPods, restart } = await controlledCluster(t, { outcome: () => 2_000 });
    await client.of(DaemonSet).create({ metadata: key, spec: { selector, template: template('v1'), updateStrategy: { type: 'RollingUpdate', rollingUpdate } } });
    const rolledOut = (image: string): Promise<void> => until(clock, async () => {
      assert.deepEqual(onNodes(await pods()), ['n1', 'n2', 'n3'].map((node) => `${node} ${image}`));
      assert.partialDeepStrictEqual((await client.of(DaemonSet).get(key)).status, { updatedNumberScheduled: 3, numberAvailable: 3 });
    }, 60_000);
    await rolledOut('v1');
    let fewest = 3;
    let highest = 0;
    await watchPods((all) => {
      fewest = Math.min(fewest, new Set(all.filter((pod) => isActive(pod) && isReady(pod)).map(({ spec }) => spec.nodeName)).size);
      highest = Math.max(highest, all.filter(isActive).length);
    });
    await client.of(DaemonSet).modify(key, setImage('v2'));
    await clock.advance(1_000);
    await restart();
    await rolledOut('v2');
    t.is(fewest, 3 - missing);
    t.true(highest <= most, `${highest} pods`);
    const revisions = (await client.of(ControllerRevision).list({ namespace: 'default' })).items.toSorted((a, b) => a.revision - b.revision);
    t.deepEqual(revisions.map(({ revision }) => revision), [1, 2]);
    // As kubectl rollout undo does.
    await client.of(DaemonSet).patch(key, 'strategic', revisions[0]!.data);
    await rolledOut('v1');
    t.deepEqual((await client.of(ControllerRevision).list({ namespace: 'default' })).items.map(({ revision }) => revision).sort(), [2, 3]);
  });
}

test('OnDelete waits for somebody to delete, and old revisions go beyond the limit', async (t) => {
  const { client, clock, pods } = await controlledCluster(t);
  await client.of(DaemonSet).create({ metadata: key, spec: { selector, template: template('v1'), updateStrategy: { type: 'OnDelete' }, revisionHistoryLimit: 1 } });
  await until(clock, async () => assert.equal((await pods()).filter(isReady).length, 3));
  for (const image of ['v2', 'v3', 'v4']) {
    await client.of(DaemonSet).modify(key, setImage(image));
    await rest();
  }
  t.deepEqual(onNodes(await pods()), ['n1 v1', 'n2 v1', 'n3 v1']);
  for (const pod of await pods()) await client.of(Pod).delete({ namespace: 'default', name: pod.metadata.name! });
  await until(clock, async () => assert.deepEqual(onNodes(await pods()), ['n1 v4', 'n2 v4', 'n3 v4']));
  await until(clock, async () => assert.deepEqual((await client.of(ControllerRevision).list({ namespace: 'default' })).items.map(({ revision }) => revision).sort(), [3, 4]));
});

test('daemons that fail are made anew, ever more slowly', async (t) => {
  const { client, clock, reasons } = await controlledCluster(t, { names: ['n1'], outcome: () => 'failed' });
  await client.of(DaemonSet).create({ metadata: key, spec: { selector, template: template('v1') } });
  await until(clock, async () => assert.ok((await reasons('web')).some((line) => line.startsWith('FailedDaemonPod'))));
  const made = async (): Promise<number> => (await reasons('web')).filter((line) => line.startsWith('SuccessfulCreate')).length;
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    await rest(2);
  }
  const count = await made();
  // 0, 1, 3, 7, 15, 31 and 63 seconds after the first.
  t.true(count >= 4 && count <= 8, `${count} pods in a minute`);
});
