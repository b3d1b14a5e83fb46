import assert from 'node:assert/strict';
import test from 'ava';
import { silentLog } from '../../base/log.ts';
import { createClient } from '../../client/client.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import type { Transport } from '../../schemas/api.ts';
import { conditionOf } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { testApi } from '../helpers/api.ts';
import { eventually } from '../helpers/eventually.ts';
import { settle } from '../helpers/fake-clock.ts';
import { node, pod, withPorts } from './objects.ts';
import { start } from './start-scheduler.ts';

test('pods are spread over the nodes, with a condition and an event', async (t) => {
  const { addNode, addPod, bound, nodeOf, pods, at, eventsAbout, stop } = await start();
  await addNode('a');
  await addNode('b');
  for (const name of ['p1', 'p2', 'p3', 'p4']) await addPod(name, { cpu: '100m' });
  for (const name of ['p1', 'p2', 'p3', 'p4']) await bound(name);
  const nodes = await Promise.all(['p1', 'p2', 'p3', 'p4'].map(nodeOf));
  t.deepEqual(nodes.sort(), ['a', 'a', 'b', 'b']);
  t.is(conditionOf((await pods.get(at('p1'))).status?.conditions, 'PodScheduled')?.status, 'True');
  const event = await eventually(async () => {
    const [first] = await eventsAbout('p1');
    assert.ok(first);
    return first;
  });
  t.like(event, { type: 'Normal', reason: 'Scheduled', message: `Successfully assigned default/p1 to ${await nodeOf('p1')}`, reportingComponent: 'default-scheduler', source: { component: 'default-scheduler' } });
  await stop();
});

test('pods and nodes that were there before the scheduler are counted', async (t) => {
  const { addNode, addPod, bound, refused, stop } = await start();
  await addNode('a', { allocatable: { cpu: '1' } });
  await addPod('placed', { cpu: '600m' }, { nodeName: 'a' });
  await addPod('p', { cpu: '600m' });
  await refused('p', '0/1 nodes are available: 1 Insufficient cpu.');
  await addPod('q', { cpu: '400m' });
  await bound('q', 'a');
  t.pass();
  await stop();
});

test('a refused pod says why, and is woken by the room that another leaves', async (t) => {
  const { addNode, addPod, bound, refused, nodeOf, pods, at, clock, eventsAbout, requests, stop } = await start();
  await addNode('a', { allocatable: { cpu: '1' } });
  await addNode('b', { taints: [{ key: 'key', value: 'value', effect: 'NoSchedule' }] });
  await addPod('first', { cpu: '1' });
  await bound('first', 'a');
  await addPod('second', { cpu: '500m' });
  await refused('second', '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {key: value}.');
  await eventually(async () => assert.deepEqual((await eventsAbout('second')).map((event) => event.reason), ['FailedScheduling']));
  t.like((await eventsAbout('second'))[0], { type: 'Warning', message: '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {key: value}. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.' });
  await clock.advance(60_000);
  const before = requests.length;
  await settle();
  t.is(requests.length, before, 'it is not tried again while nothing happens');
  await pods.delete(at('first'), { gracePeriodSeconds: 0 });
  await bound('second', 'a');
  t.is(await nodeOf('second'), 'a');
  await stop();
});

test('only what can help wakes: taints that go, labels that come, a node that is uncordoned or new', async (t) => {
  const { addNode, addPod, bound, refused, client, clock, stop } = await start();
  await addNode('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
  await addPod('p');
  await refused('p', '0/1 nodes are available: 1 node(s) had untolerated taint {k: v}.');
  await clock.advance(20_000);
  await client.of(Node).modify({ name: 'a' }, (draft) => { draft.spec = { taints: [] }; });
  await bound('p', 'a');
  await addPod('q', {}, { nodeSelector: { disk: 'ssd' } });
  await refused('q', "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
  await clock.advance(20_000);
  await client.of(Node).modify({ name: 'a' }, (draft) => { draft.metadata.labels = { ...draft.metadata.labels, disk: 'ssd' }; });
  await bound('q', 'a');
  await client.of(Node).modify({ name: 'a' }, (draft) => { draft.spec = { unschedulable: true }; });
  await addPod('r', {}, withPorts({ hostPort: 80 }));
  await refused('r', '0/1 nodes are available: 1 node(s) were unschedulable.');
  await clock.advance(20_000);
  await client.of(Node).modify({ name: 'a' }, (draft) => { draft.spec = { unschedulable: false }; });
  await bound('r', 'a');
  await addPod('s', {}, withPorts({ hostPort: 80 }));
  await refused('s', "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.");
  await clock.advance(20_000);
  await addNode('b');
  await bound('s', 'b');
  t.pass();
  await stop();
});

test('a pod without a node in sight waits for one', async (t) => {
  const { addNode, addPod, bound, refused, client, clock, eventsAbout, stop } = await start();
  await addPod('p');
  await refused('p', 'no nodes available to schedule pods');
  // A node comes before its status does, and is none for the scheduler until then.
  await addNode('a', { unschedulable: true });
  await clock.advance(1_000);
  await refused('p', '0/1 nodes are available: 1 node(s) were unschedulable.');
  await clock.advance(300_000);
  await eventually(async () => assert.equal((await eventsAbout('p')).find((event) => event.message?.startsWith('0/1'))?.count, 2), 2_000);
  await client.of(Node).modify({ name: 'a' }, (draft) => { draft.spec = {}; });
  await clock.advance(4_000);
  await bound('p', 'a');
  t.pass();
  await stop();
});

test('gates hold a pod, other schedulers keep theirs, the deleted are let go', async (t) => {
  const { addNode, addPod, bound, refused, nodeOf, pods, at, stop } = await start();
  await addNode('a');
  await addPod('gated', {}, { schedulingGates: [{ name: 'example.com/hold' }] });
  await addPod('other', {}, { schedulerName: 'another' });
  await refused('gated', 'Scheduling is blocked due to non-empty scheduling gates', 'SchedulingGated');
  await addPod('plain');
  await bound('plain');
  t.is(await nodeOf('gated'), undefined);
  t.is(await nodeOf('other'), undefined);
  await pods.modify(at('gated'), (draft) => { draft.spec.schedulingGates = []; });
  await bound('gated', 'a');
  await stop();
});

test('each scheduler name has its profile; a pod of a name that none has is bound by whoever answers to it', async (t) => {
  const { addNode, addPod, bound, nodeOf, pods, at, eventsAbout, client, stop } = await start(undefined, { profiles: new Map([['default-scheduler', profileOf('spread')], ['packer', profileOf('binpack')]]) });
  for (const name of ['a', 'b']) await addNode(name);
  await addPod('x', { cpu: '1' }, { nodeName: 'a' });
  await addPod('external', {}, { schedulerName: 'external' });
  await addPod('spread', { cpu: '1' });
  await bound('spread', 'b');
  await addPod('more', { cpu: '1' }, { nodeName: 'b' });
  await addPod('packed', { cpu: '1' }, { schedulerName: 'packer' });
  await bound('packed', 'b');
  await eventually(async () => assert.equal((await eventsAbout('packed'))[0]?.reportingComponent, 'packer'));
  t.is(await nodeOf('external'), undefined);
  t.deepEqual(await eventsAbout('external'), []);
  await client.of(Pod).createSub(at('external'), 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'external', namespace: 'default' }, target: { apiVersion: 'v1', kind: 'Node', name: 'a' } });
  await bound('external', 'a');
  t.is(conditionOf((await pods.get(at('external'))).status?.conditions, 'PodScheduled')?.status, 'True');
  await stop();
});

test('a pod that asks for a strategy that there is not is told so, and placed when it asks for another', async (t) => {
  const { addNode, bound, refused, pods, at, eventsAbout, stop } = await start();
  await addNode('a');
  await pods.create({ metadata: { name: 'p', namespace: 'default', annotations: { 'scheduler.barge.dev/strategy': 'best' } }, spec: pod('p').spec });
  const message = 'metadata.annotations[scheduler.barge.dev/strategy]: Unsupported value: "best": supported values: "spread", "binpack", "random"';
  await refused('p', message, 'InvalidRequest');
  await eventually(async () => assert.equal((await eventsAbout('p'))[0]?.message, message));
  await pods.modify(at('p'), (draft) => { draft.metadata.annotations!['scheduler.barge.dev/strategy'] = 'binpack'; });
  await bound('p', 'a');
  t.pass();
  await stop();
});

test('pods that have ended leave their room', async (t) => {
  const { addNode, addPod, bound, refused, pods, at, clock, stop } = await start();
  await addNode('a', { allocatable: { cpu: '1' } });
  await addPod('job', { cpu: '1' });
  await bound('job');
  await addPod('p', { cpu: '1' });
  await refused('p', '0/1 nodes are available: 1 Insufficient cpu.');
  await clock.advance(1_000);
  await pods.modifyStatus(at('job'), (draft) => { draft.status = { ...draft.status, phase: 'Succeeded' }; });
  await bound('p', 'a');
  t.pass();
  await stop();
});

test('a binding that fails is tried again; its room is kept while it is not known whether it was done', async (t) => {
  const failures = [new ApiError('ServiceUnavailable', 'away'), new ApiError('Conflict', 'somebody was faster')];
  const { addNode, addPod, bound, refused, nodeOf, clock, stop } = await start((request) => {
    const failure = request.subresource === 'binding' && request.name === 'p' ? failures.shift() : undefined;
    if (failure !== undefined) throw failure;
  });
  await addNode('a', { allocatable: { cpu: '1' } });
  await addPod('p', { cpu: '1' });
  await eventually(() => assert.equal(failures.length, 1));
  await addPod('q', { cpu: '500m' });
  await refused('q', '0/1 nodes are available: 1 Insufficient cpu.');
  t.is(await nodeOf('p'), undefined);
  await clock.advance(1_000);
  await eventually(() => assert.equal(failures.length, 0));
  // Refused: the place is free, and whoever comes first gets it.
  await clock.advance(2_000);
  await bound('q', 'a');
  await refused('p', '0/1 nodes are available: 1 Insufficient cpu.');
  await stop();
});

test('a pod that is deleted while it is bound gives its room back', async (t) => {
  let deleteFirst: () => Promise<void> = () => Promise.resolve();
  const { addNode, addPod, bound, pods, at, stop } = await start(async (request) => {
    if (request.subresource === 'binding' && request.name === 'p') await deleteFirst();
  });
  deleteFirst = () => pods.delete(at('p'), { gracePeriodSeconds: 0 });
  await addNode('a', { allocatable: { cpu: '1' } });
  await addPod('p', { cpu: '1' });
  await eventually(async () => assert.equal(await pods.find(at('p')), undefined));
  await addPod('q', { cpu: '1' });
  await bound('q', 'a');
  t.pass();
  await stop();
});

test('many pods at once: none is lost, no node gets too much', async (t) => {
  const { addNode, addPod, pods, stop } = await start();
  for (let n = 0; n < 10; n++) await addNode(`n${n}`, { allocatable: { cpu: '2' } });
  await Promise.all(Array.from({ length: 220 }, (_, n) => addPod(`p${n}`, { cpu: '100m' })));
  await eventually(async () => {
    const { items } = await pods.list();
    assert.equal(items.filter((one) => one.spec.nodeName !== undefined).length, 200);
    assert.equal(items.filter((one) => conditionOf(one.status?.conditions, 'PodScheduled')?.status === 'False').length, 20);
  });
  const counts = Map.groupBy((await pods.list()).items, (one) => one.spec.nodeName ?? '');
  counts.delete('');
  t.deepEqual([...new Set([...counts.values()].map((all) => all.length))], [20]);
  await stop();
});

test('a late sight of a pod without its node does not bring it back; a node that never shows up in the watch does', async (t) => {
  const api = await testApi();
  const { client, clock } = api;
  let bindings = 0;
  const transport: Transport = { watch: api.transport.watch.bind(api.transport), send: (request, signal) => {
    if (request.subresource === 'binding') bindings++;
    return api.transport.send(request, signal);
  } };
  const scheduler = new Scheduler({ profiles: new Map([['default-scheduler', profileOf('spread')]]), client: createClient(transport), clock, log: silentLog, random: () => 0, events: () => ({ event: () => undefined }) });
  const stopping = new AbortController();
  const running = scheduler.run(stopping.signal);
  scheduler.setNode(node('a', { allocatable: { cpu: '1' } }));
  const created = await client.of(Pod).create({ metadata: { name: 'p', namespace: 'default' }, spec: pod('p', { cpu: '1' }).spec });
  scheduler.setPod(created);
  await eventually(async () => assert.equal((await client.of(Pod).get({ namespace: 'default', name: 'p' })).spec.nodeName, 'a'));
  scheduler.setPod({ ...created, metadata: { ...created.metadata, labels: { late: 'yes' } } });
  await settle();
  t.is(bindings, 1);
  t.is(scheduler.cluster.node('a')?.podCount, 1, 'it is counted, seen or not');
  await clock.advance(30_000);
  t.is(bindings, 2, 'half a minute later it is tried again');
  scheduler.setPod(await client.of(Pod).get({ namespace: 'default', name: 'p' }));
  await clock.advance(60_000);
  t.is(bindings, 2);
  t.is(scheduler.cluster.node('a')?.podCount, 1);
  stopping.abort();
  await running;
  await api.close();
});
