/**
 * What Kubernetes' conformance tests ask of controllers and scheduler beyond the scenarios of each controller, on simulated nodes.
 * docs/design/conformance.md names the assertions.
 */
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { silentLog } from '../../base/log.ts';
import { keyOf } from '../../client/key.ts';
import { isActive, isReady } from '../../controllers/pod-state.ts';
import { createSchedulerComponent } from '../../scheduler/component.ts';
import { conditionOf } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import { ControllerRevision } from '../../schemas/kinds/apps/controller-revision.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { PriorityClass } from '../../schemas/kinds/scheduling/priority-class.ts';
import { controllerOf } from '../../schemas/owners.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { template } from '../helpers/workloads.ts';

const at = (name: string) => ({ namespace: 'default', name });
const selector = { matchLabels: { app: 'web' } };
type Cluster = Awaited<ReturnType<typeof controlledCluster>>;

/** Pods of the default namespace by node or name, with their image. */
const shown = (pods: readonly Pod[], by: 'node' | 'name'): readonly string[] => pods.filter(isActive).map(({ metadata, spec }) => `${by === 'node' ? spec.nodeName : metadata.name} ${spec.containers[0]!.image}`).sort();

const running = (cluster: Cluster, count: number) => until(cluster.clock, async () => {
  const pods = (await cluster.pods()).filter(isReady);
  assert.equal(pods.length, count);
  return pods;
});

// Garbage collection

test('a ReplicationController goes before its pods, after them, or without them', async (t) => {
  const cluster = await controlledCluster(t, { stopMs: 5_000 });
  const { client, clock, pods } = cluster;
  const controllers = client.of(ReplicationController);
  const make = () => controllers.create({ metadata: at('rc'), spec: { replicas: 4, selector: { app: 'web' }, template: template('v1') } });
  await make();
  await running(cluster, 4);
  await controllers.delete(at('rc'), { propagationPolicy: 'Background' });
  t.is(await controllers.find(at('rc')), undefined);
  await until(clock, async () => assert.equal((await pods()).length, 0), 60_000);

  await make();
  await running(cluster, 4);
  await controllers.delete(at('rc'), { propagationPolicy: 'Foreground' });
  await until(clock, async () => assert.ok((await pods()).every(({ metadata }) => metadata.deletionTimestamp !== undefined)));
  t.deepEqual((await controllers.get(at('rc'))).metadata.finalizers, ['foregroundDeletion']);
  t.is((await pods()).length, 4);
  await until(clock, async () => {
    const left = await pods();
    const owner = await controllers.find(at('rc'));
    if (left.length > 0) t.truthy(owner, 'it stays as long as one of its pods');
    assert.equal(owner, undefined);
  }, 60_000);
  t.deepEqual(await pods(), []);

  await make();
  await running(cluster, 4);
  await controllers.delete(at('rc'), { propagationPolicy: 'Orphan' });
  await until(clock, async () => assert.equal(await controllers.find(at('rc')), undefined));
  await clock.advance(30_000);
  t.deepEqual((await pods()).map(({ metadata }) => [metadata.ownerReferences, metadata.deletionTimestamp]), Array.from({ length: 4 }, () => [undefined, undefined]));
});

test('a pod with an owner that stays outlives the foreground deletion of another', async (t) => {
  const cluster = await controlledCluster(t);
  const { client, clock, pods } = cluster;
  const controllers = client.of(ReplicationController);
  await controllers.create({ metadata: at('going'), spec: { replicas: 4, selector: { app: 'web' }, template: template('v1') } });
  const staying = await controllers.create({ metadata: at('staying'), spec: { replicas: 0, selector: { app: 'other' }, template: template('v1', { app: 'other' }) } });
  const all = await running(cluster, 4);
  const kept = all.slice(0, 2).map(({ metadata }) => metadata.name!).sort();
  for (const name of kept) {
    await client.of(Pod).modify(at(name), (draft) => void (draft.metadata.ownerReferences = [...draft.metadata.ownerReferences!, { apiVersion: 'v1', kind: 'ReplicationController', name: 'staying', uid: staying.metadata.uid! }]));
  }
  await rest();
  await controllers.delete(at('going'), { propagationPolicy: 'Foreground' });
  await until(clock, async () => assert.equal(await controllers.find(at('going')), undefined), 60_000);
  await clock.advance(30_000);
  t.deepEqual((await pods()).map(({ metadata }) => [metadata.name, metadata.deletionTimestamp, metadata.ownerReferences?.map(({ name }) => name)]).sort(), kept.map((name) => [name, undefined, ['staying']]));
});

test('pods that own each other in a circle go with one of them', async (t) => {
  const { client, clock, pods } = await controlledCluster(t);
  const made = await Promise.all(['a', 'b', 'c'].map((name) => client.of(Pod).create({ metadata: at(name), spec: template('v1').spec })));
  for (const [index, { metadata }] of made.entries()) {
    const owner = made[(index + 2) % 3]!.metadata;
    await client.of(Pod).modify(at(metadata.name!), (draft) => void (draft.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: owner.name!, uid: owner.uid!, controller: true, blockOwnerDeletion: true }]));
  }
  await rest();
  await client.of(Pod).delete(at('a'), { propagationPolicy: 'Foreground' });
  await until(clock, async () => assert.equal((await pods()).length, 0), 60_000);
  t.pass();
});

test('a namespace takes its pods and Services with it, and is empty when it is made anew', async (t) => {
  const { client, clock } = await controlledCluster(t, { stopMs: 2_000 });
  const key = { name: 'shop' };
  await client.of(Namespace).create({ metadata: key });
  const inside = { namespace: 'shop', name: 'one' };
  await client.of(Pod).create({ metadata: inside, spec: template('v1').spec });
  await client.of(Service).create({ metadata: inside, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
  await until(clock, async () => assert.ok(isReady(await client.of(Pod).get(inside))));
  await client.of(Namespace).delete(key);
  await until(clock, async () => assert.equal(await client.of(Namespace).find(key), undefined), 60_000);
  await client.of(Namespace).create({ metadata: key });
  t.deepEqual([await client.of(Pod).find(inside), await client.of(Service).find(inside)], [undefined, undefined]);
});

// DaemonSets

test('revisions of a DaemonSet may be labelled, made and deleted by hand, and the next one is counted on', async (t) => {
  const cluster = await controlledCluster(t);
  const { client, clock } = cluster;
  const revisions = client.of(ControllerRevision);
  const all = async () => (await revisions.list({ labelSelector: 'app=web' })).items;
  const daemons = client.of(DaemonSet);
  await daemons.create({ metadata: at('web'), spec: { selector, template: template('v1') } });
  await running(cluster, 3);
  const [first, ...more] = await all();
  t.deepEqual(more, []);
  t.like(first, { revision: 1 });
  t.is(controllerOf(first!)?.name, 'web');
  t.is((await revisions.patch(keyOf(first!), 'strategic', { metadata: { labels: { patched: 'yes' } } })).metadata.labels?.['patched'], 'yes');
  const { metadata: { labels, ownerReferences }, data } = first!;
  const second = await revisions.create({ metadata: { ...at('web-byhand'), labels: { ...labels, 'controller-revision-hash': 'byhand' }, ownerReferences }, data, revision: 2 });
  t.is((await all()).length, 2);
  await revisions.delete(keyOf(first!));
  await until(clock, async () => assert.equal((await all()).length, 1), 60_000);
  await clock.advance(10_000);
  const [left] = await all();
  t.is(left!.metadata.uid, second.metadata.uid, 'it says the same, so it is the one');
  await revisions.modify(keyOf(left!), (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, updated: 'yes' }));
  await daemons.patch(at('web'), 'strategic', { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } });
  await until(clock, async () => assert.equal((await all()).length, 2));
  await until(clock, async () => assert.equal((await daemons.get(at('web'))).status?.updatedNumberScheduled, 3), 60_000);
  await revisions.deleteCollection({ namespace: 'default', labelSelector: 'updated=yes' });
  await clock.advance(10_000);
  t.deepEqual((await all()).map(({ revision }) => revision), [3]);
});

test('going back in the middle of an update of a DaemonSet restarts no pod that was not updated', async (t) => {
  const cluster = await controlledCluster(t, { names: ['n1', 'n2', 'n3', 'n4', 'n5'], outcome: (pod) => (pod.spec.containers[0]!.image === 'bad' ? 'never' : 500) });
  const { client, clock, pods } = cluster;
  await client.of(DaemonSet).create({ metadata: at('web'), spec: { selector, template: template('v1') } });
  const before = await running(cluster, 5);
  const setImage = (image: string) => client.of(DaemonSet).modify(at('web'), (draft) => void (draft.spec.template.spec.containers[0]!.image = image));
  await setImage('bad');
  await until(clock, async () => assert.equal((await pods()).filter((pod) => pod.spec.containers[0]!.image === 'bad').length, 1));
  await clock.advance(20_000);
  const untouched = (await pods()).filter((pod) => pod.spec.containers[0]!.image === 'v1').map(({ metadata }) => metadata.uid);
  t.is(untouched.length, 4, 'maxUnavailable is 1');
  await setImage('v1');
  const after = await until(clock, async () => {
    const found = (await pods()).filter(isReady);
    assert.deepEqual(shown(found, 'node'), ['n1 v1', 'n2 v1', 'n3 v1', 'n4 v1', 'n5 v1']);
    return found;
  }, 60_000);
  const uids = new Set(after.map(({ metadata }) => metadata.uid));
  t.true(untouched.every((uid) => uids.has(uid)));
  t.is(before.filter(({ metadata }) => uids.has(metadata.uid)).length, 4);
});

test('a DaemonSet with a node selector follows labels of nodes and its own selector; a daemon that ends or is deleted is replaced', async (t) => {
  const cluster = await controlledCluster(t);
  const { client, clock, pods } = cluster;
  const colour = (value: string) => client.of(Node).modify({ name: 'n2' }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, colour: value }));
  const nodes = (expected: readonly string[]) => until(clock, async () => {
    assert.deepEqual(shown(await pods(), 'node'), expected);
    assert.equal((await client.of(DaemonSet).get(at('web'))).status?.desiredNumberScheduled, expected.length);
  }, 60_000);
  await client.of(DaemonSet).create({ metadata: at('web'), spec: { selector, template: { ...template('v1'), spec: { ...template('v1').spec, nodeSelector: { colour: 'blue' } } } } });
  await clock.advance(2_000);
  await nodes([]);
  await colour('blue');
  await nodes(['n2 v1']);
  await colour('green');
  await nodes([]);
  await client.of(DaemonSet).modify(at('web'), (draft) => void (draft.spec.template.spec.nodeSelector = { colour: 'green' }));
  await nodes(['n2 v1']);
  t.is((await client.of(DaemonSet).get(at('web'))).status?.updatedNumberScheduled, 1);

  const replaced = async (how: (pod: Pod) => Promise<unknown>): Promise<void> => {
    const old = await running(cluster, 1);
    await how(old[0]!);
    await until(clock, async () => {
      const now = await pods();
      assert.deepEqual(now.map((pod) => [pod.metadata.uid === old[0]!.metadata.uid, isReady(pod)]), [[false, true]]);
    }, 60_000);
  };
  await replaced((pod) => client.of(Pod).delete(keyOf(pod)));
  await replaced((pod) => client.of(Pod).modifyStatus(keyOf(pod), (draft) => void (draft.status = { ...draft.status, phase: 'Failed', conditions: [] })));
  t.pass();
});

// ReplicationControllers

test('a ReplicationController lets go of pods that no longer fit, and says when a quota keeps it from making others', async (t) => {
  let tries = 0;
  const cluster = await controlledCluster(t, {}, (own) => ({
    watch: (request, signal) => own.watch(request, signal),
    send: (request, signal) => {
      if (request.verb === 'create' && request.resource === 'pods') tries++;
      return own.send(request, signal);
    },
  }));
  const { client, clock, pods } = cluster;
  const controllers = client.of(ReplicationController);
  await client.of(ResourceQuota).create({ metadata: at('q'), spec: { hard: { pods: '2' } } });
  await controllers.create({ metadata: at('rc'), spec: { replicas: 3, selector: { app: 'web' }, template: template('v1') } });
  const failure = async () => conditionOf((await controllers.get(at('rc'))).status?.conditions, 'ReplicaFailure');
  await until(clock, async () => assert.partialDeepStrictEqual(await failure(), { status: 'True', reason: 'FailedCreate' }));
  t.regex((await failure())?.message ?? '', /exceeded quota: q/);
  await clock.advance(5_000);
  t.true(tries < 30, `${tries} tries: they are made ever more slowly`);
  await controllers.modify(at('rc'), (draft) => void (draft.spec.replicas = 2));
  await until(clock, async () => assert.equal(await failure(), undefined));

  await client.of(ResourceQuota).delete(at('q'));
  const [one] = await running(cluster, 2);
  await client.of(Pod).modify(keyOf(one!), (draft) => void (draft.metadata.labels = { app: 'loose' }));
  await until(clock, async () => {
    assert.equal((await pods()).filter(({ metadata }) => metadata.labels?.['app'] === 'web' && metadata.ownerReferences?.length === 1).length, 2);
    assert.equal((await client.of(Pod).get(keyOf(one!))).metadata.ownerReferences, undefined);
  });
  t.pass();
});

// StatefulSets

const stateful = async (t: ExecutionContext, spec: Partial<StatefulSet['spec']>) => {
  const sick = new Set<string>();
  const cluster = await controlledCluster(t, { outcome: (pod) => (sick.has(pod.metadata.name!) ? 'never' : 500) });
  const { client, clock } = cluster;
  const log: string[] = [];
  let before = new Set<string>();
  await cluster.watchPods((present) => {
    const now = new Set(present.filter(isActive).map(({ metadata }) => metadata.name!));
    log.push(...[...now].filter((name) => !before.has(name)).map((name) => `+${name}`), ...[...before].filter((name) => !now.has(name)).map((name) => `-${name}`));
    before = now;
  });
  await client.of(StatefulSet).create({ metadata: at('ss'), spec: { serviceName: 'ss', replicas: 3, selector, template: template('v1'), ...spec } });
  /** The node sees at once what has become of a pod. */
  const look = async (): Promise<void> => {
    for (const pod of await cluster.pods()) await client.of(Pod).modify(keyOf(pod), (draft) => void (draft.metadata.annotations = { seen: String(clock.now()) }));
    await clock.advance(1_000);
  };
  return {
    ...cluster, log, taken: () => log.splice(0),
    falls: async (...names: readonly string[]) => {
      for (const name of names) sick.add(name);
      await look();
    },
    recovers: async (...names: readonly string[]) => {
      for (const name of names) sick.delete(name);
      await look();
    },
    scale: (replicas: number) => client.of(StatefulSet).patch(at('ss'), 'merge', { spec: { replicas } }, { subresource: 'scale' }),
    settled: (count: number) => until(clock, async () => {
      const { status, metadata } = await client.of(StatefulSet).get(at('ss'));
      assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation!, replicas: count, availableReplicas: count });
    }, 60_000),
  };
};

test('a StatefulSet scales in order, up and down, and halts at a pod that is not ready', async (t) => {
  const { scale, falls, recovers, settled, taken, clock, pods } = await stateful(t, { replicas: 1 });
  await settled(1);
  await falls('ss-0');
  taken();
  await scale(3);
  await clock.advance(20_000);
  t.deepEqual(taken(), [], 'nothing is made while the first is not ready');
  await recovers('ss-0');
  await settled(3);
  t.deepEqual(taken(), ['+ss-1', '+ss-2']);

  await falls('ss-0', 'ss-1', 'ss-2');
  await scale(0);
  await clock.advance(20_000);
  t.deepEqual(taken(), [], 'nothing goes while pods of lower numbers are not ready');
  t.is((await pods()).length, 3);
  await recovers('ss-0', 'ss-1', 'ss-2');
  await settled(0);
  t.deepEqual(taken(), ['-ss-2', '-ss-1', '-ss-0']);
});

test('one of several pods of a StatefulSet that are not ready can still be scaled away', async (t) => {
  const { scale, falls, settled, taken, clock, client } = await stateful(t, {});
  await settled(3);
  await falls('ss-2');
  taken();
  await scale(1);
  await until(clock, async () => assert.equal((await client.of(StatefulSet).get(at('ss'))).status?.replicas, 1), 60_000);
  t.deepEqual(taken(), ['-ss-2', '-ss-1'], 'the only one that is not ready keeps nobody');
});

test('a StatefulSet with Parallel scales to its end whatever its pods are like', async (t) => {
  const { scale, falls, recovers, settled, taken, clock, pods } = await stateful(t, { replicas: 1, podManagementPolicy: 'Parallel' });
  await settled(1);
  await falls('ss-0', 'ss-1', 'ss-2');
  await scale(3);
  await until(clock, async () => assert.equal((await pods()).length, 3));
  await recovers('ss-0', 'ss-1', 'ss-2');
  await settled(3);
  await falls('ss-0', 'ss-1', 'ss-2');
  taken();
  await scale(0);
  await until(clock, async () => assert.equal((await pods()).length, 0));
  t.deepEqual(taken().sort(), ['-ss-0', '-ss-1', '-ss-2']);
});

test('a StatefulSet updates from the top, and a template of before is the revision of before', async (t) => {
  const { settled, taken, client, clock, pods } = await stateful(t, {});
  await settled(3);
  const status = async () => (await client.of(StatefulSet).get(at('ss'))).status!;
  const first = (await status()).currentRevision;
  t.is((await status()).updateRevision, first);
  const revisions = async () => (await client.of(ControllerRevision).list({ namespace: 'default' })).items;
  const update = async (image: string) => {
    taken();
    await client.of(StatefulSet).modify(at('ss'), (draft) => void (draft.spec.template.spec.containers[0]!.image = image));
    await until(clock, async () => {
      assert.deepEqual(shown(await pods(), 'name'), ['ss-0', 'ss-1', 'ss-2'].map((name) => `${name} ${image}`));
      const { status: { currentRevision, updateRevision, observedGeneration } = {}, metadata } = await client.of(StatefulSet).get(at('ss'));
      assert.deepEqual([updateRevision, observedGeneration], [currentRevision, metadata.generation]);
    }, 60_000);
    t.deepEqual(taken(), ['-ss-2', '+ss-2', '-ss-1', '+ss-1', '-ss-0', '+ss-0']);
    return (await status()).currentRevision;
  };
  t.not(await update('v2'), first);
  t.is(await update('v1'), first, 'it is known again');
  t.deepEqual((await revisions()).map(({ revision }) => revision).sort(), [2, 3]);
});

// Jobs

const job = (spec: Partial<Job['spec']> = {}): { readonly metadata: { readonly namespace: string; readonly name: string }; readonly spec: Job['spec'] } =>
  ({ metadata: at('work'), spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }, ...spec } as Job['spec'] });

test('a Job takes back a pod that lost its owner, and lets go one that no longer fits', async (t) => {
  const cluster = await controlledCluster(t);
  const { client, clock, pods } = cluster;
  await client.of(Job).create(job({ parallelism: 2, completions: 2 }));
  const [orphan, stranger] = await running(cluster, 2);
  const own = async (pod: Pod) => controllerOf(await client.of(Pod).get(keyOf(pod)))?.name;
  await client.of(Pod).modify(keyOf(orphan!), (draft) => void delete draft.metadata.ownerReferences);
  await until(clock, async () => assert.equal(await own(orphan!), 'work'));
  await client.of(Pod).modify(keyOf(stranger!), (draft) => void delete draft.metadata.labels);
  await until(clock, async () => assert.equal(await own(stranger!), undefined));
  await until(clock, async () => assert.equal((await pods()).filter((pod) => controllerOf(pod)?.name === 'work' && isActive(pod)).length, 2), 60_000);
  t.deepEqual((await client.of(Pod).get(keyOf(stranger!))).metadata.finalizers ?? [], [], 'and holds it no longer');
});

test('a failure policy may leave disruptions uncounted: an evicted pod of each index costs nothing', async (t) => {
  let isSecond = false;
  const cluster = await controlledCluster(t, { outcome: () => (isSecond ? { endsAfterMs: 1_000, exitCode: 0 } : 0) });
  const { client, clock, pods } = cluster;
  await client.of(Job).create(job({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimit: 0, podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] } }));
  const first = await running(cluster, 2);
  isSecond = true;
  for (const pod of first) await client.of(Pod).createSub(keyOf(pod), 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod.metadata.name } });
  // The last word of the pods' node.
  for (const pod of first) await client.of(Pod).modifyStatus(keyOf(pod), (draft) => void (draft.status = { ...draft.status, phase: 'Failed' }));
  await until(clock, async () => assert.equal(conditionOf((await client.of(Job).get(at('work'))).status?.conditions, 'Complete')?.status, 'True'), 120_000);
  t.like((await client.of(Job).get(at('work'))).status, { succeeded: 2, completedIndexes: '0,1', failed: undefined } as never);
  t.true((await pods()).every(({ metadata }) => !first.some((old) => old.metadata.uid === metadata.uid)));
});

test('the time after the end of a Job may be set and changed when it has ended', async (t) => {
  const cluster = await controlledCluster(t, { outcome: () => ({ endsAfterMs: 1_000, exitCode: 0 }) });
  const { client, clock, pods } = cluster;
  const jobs = client.of(Job);
  const named = (name: string, ttlSecondsAfterFinished?: number) => jobs.create({ ...job(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }), metadata: at(name) });
  await named('never');
  await named('late');
  await named('longer', 30);
  await named('sooner', 3_600);
  await named('at-once', 0);
  const left = async () => (await jobs.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name).sort();
  const complete = async (name: string) => conditionOf((await jobs.get(at(name))).status?.conditions, 'Complete')?.status === 'True';
  await until(clock, async () => {
    for (const name of ['never', 'late', 'longer', 'sooner']) assert.ok(await complete(name), name);
    assert.deepEqual(await left(), ['late', 'longer', 'never', 'sooner'], 'a time of 0 is at once');
  });
  const ttl = (name: string, seconds: number) => jobs.modify(at(name), (draft) => void (draft.spec.ttlSecondsAfterFinished = seconds));
  await ttl('longer', 100);
  await clock.advance(60_000);
  t.deepEqual(await left(), ['late', 'longer', 'never', 'sooner'], 'the longer time holds');
  await ttl('sooner', 5);
  await until(clock, async () => assert.deepEqual(await left(), ['late', 'longer', 'never']));
  await ttl('late', 90);
  await clock.advance(15_000);
  t.deepEqual(await left(), ['late', 'longer', 'never'], 'it counts from the end');
  await until(clock, async () => assert.deepEqual(await left(), ['longer', 'never']));
  await until(clock, async () => assert.deepEqual(await left(), ['never']));
  await clock.advance(300_000);
  t.deepEqual(await left(), ['never']);
  await until(clock, async () => assert.equal((await pods()).length, 1));
});

// Disruption budgets

test('a budget says how many may go, blocks an eviction, and lets it pass once it is changed', async (t) => {
  const cluster = await controlledCluster(t);
  const { client, clock } = cluster;
  await client.of(ReplicaSet).create({ metadata: at('web'), spec: { replicas: 3, selector, template: template('v1') } });
  const [one] = await running(cluster, 3);
  const budgets = client.of(PodDisruptionBudget);
  const allowed = (count: number) => until(clock, async () => assert.equal((await budgets.get(at('b'))).status?.disruptionsAllowed, count));
  const evict = () => client.of(Pod).createSub(keyOf(one!), 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: one!.metadata.name } });
  await budgets.create({ metadata: at('b'), spec: { minAvailable: 3, selector } });
  await allowed(0);
  t.is((await t.throwsAsync(evict(), { instanceOf: ApiError })).code, 429);
  await budgets.patch(at('b'), 'merge', { spec: { minAvailable: 2 } });
  await allowed(1);
  // What somebody else notes of a pod that is there stays.
  await budgets.modifyStatus(at('b'), (draft) => void (draft.status!.disruptedPods = { [one!.metadata.name!]: '2026-01-01T00:00:00Z' }));
  t.deepEqual(Object.keys((await budgets.get(at('b'))).status?.disruptedPods ?? {}), [one!.metadata.name!]);
  await budgets.patch(at('b'), 'merge', { status: { disruptedPods: null } }, { subresource: 'status' });
  await allowed(1);
  await evict();
  await until(clock, async () => assert.equal(await client.of(Pod).find(keyOf(one!)), undefined));
});

// Preemption by the real scheduler

test('pods of four ReplicaSets take room by their priority, each set keeps its number, and a critical pod goes before all', async (t) => {
  const cluster = await controlledCluster(t, { names: ['n1'], bindsNone: true, allocatable: { cpu: '1', memory: '8Gi', pods: '110' } });
  const { api, client, clock, pods } = cluster;
  const stop = new AbortController();
  let isReadyNow = false;
  const scheduling = createSchedulerComponent({ transport: api.core.as({ name: 'system:barge:scheduler', groups: ['system:authenticated'] }), clock, random: () => 0.5, log: silentLog }, {}).run(stop.signal, () => void (isReadyNow = true));
  t.teardown(async () => {
    stop.abort();
    await scheduling;
  });
  await until(clock, () => assert.ok(isReadyNow));
  for (const value of [1, 2, 3, 4]) await client.of(PriorityClass).create({ metadata: { name: `p${value}` }, value });
  const set = (value: number, cpu: string) => {
    const labels = { app: `p${value}` };
    const spec = { priorityClassName: `p${value}`, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] };
    return client.of(ReplicaSet).create({ metadata: at(`p${value}`), spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } });
  };
  const placed = (expected: readonly string[]) => until(clock, async () => {
    const all = await pods();
    assert.deepEqual(all.filter((pod) => isReady(pod) && isActive(pod)).map(({ metadata }) => metadata.labels?.['app'] ?? metadata.name).sort(), expected);
  }, 60_000);
  await set(1, '200m');
  await set(2, '300m');
  await set(3, '450m');
  await placed(['p1', 'p2', 'p3']);
  await set(4, '500m');
  await placed(['p3', 'p4']);
  await until(clock, async () => {
    const waiting = (await pods()).filter((pod) => isActive(pod) && !isReady(pod));
    assert.deepEqual(waiting.map(({ metadata, spec }) => [metadata.labels?.['app'], spec.nodeName]).sort(), [['p1', undefined], ['p2', undefined]], 'those that lost their room are made anew and wait');
  });
  for (const value of [1, 2, 3, 4]) t.is((await client.of(ReplicaSet).get(at(`p${value}`))).status?.replicas, 1);

  await client.of(Pod).create({ metadata: { namespace: 'kube-system', name: 'critical' }, spec: { priorityClassName: 'system-cluster-critical', terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '400m' } } }] } });
  await until(clock, async () => assert.equal((await client.of(Pod).get({ namespace: 'kube-system', name: 'critical' })).spec.nodeName, 'n1'), 60_000);
  await placed(['p4']);
});
