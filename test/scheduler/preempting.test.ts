// Preemption through a real API server: what users see of it, and that it survives races and restarts.
import assert from 'node:assert/strict';
import test from 'ava';
import { createClient } from '../../client/client.ts';
import { conditionOf } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { PriorityClass } from '../../schemas/kinds/scheduling/priority-class.ts';
import { eventually } from '../helpers/eventually.ts';
import { settle } from '../helpers/fake-clock.ts';
import { start } from './start-scheduler.ts';

const cluster = async (...options: Parameters<typeof start>) => {
  const all = await start(...options);
  for (const [name, value] of [['low', 10], ['high', 1_000], ['higher', 2_000]] as const) await all.client.of(PriorityClass).create({ metadata: { name }, value });
  await all.client.of(PriorityClass).create({ metadata: { name: 'polite' }, value: 5_000, preemptionPolicy: 'Never' });
  return {
    ...all,
    addNodes: async (...names: readonly string[]) => {
      for (const name of names) await all.addNode(name, { allocatable: { cpu: '1' } });
    },
    add: (name: string, priorityClassName: string, cpu = '1') => all.addPod(name, { cpu }, { priorityClassName }),
    nominated: (name: string, nodeName: string | undefined) => eventually(async () => assert.equal((await all.pods.get(all.at(name))).status?.nominatedNodeName, nodeName)),
    ending: async () => (await all.pods.list()).items.filter((one) => one.metadata.deletionTimestamp !== undefined).map((one) => one.metadata.name),
    finish: (name: string) => all.pods.delete(all.at(name), { gracePeriodSeconds: 0 }),
  };
};

test('a victim is told why and goes with its grace; its room is kept, and taken at once when it has gone', async (t) => {
  const { addNodes, add, bound, refused, nominated, ending, finish, pods, at, eventsAbout, nodeOf, clock, stop } = await cluster();
  await addNodes('a');
  await add('victim', 'low');
  await bound('victim', 'a');
  // Events are named by their time.
  await clock.advance(1);
  await add('vip', 'high');
  await nominated('vip', 'a');
  await eventually(async () => assert.deepEqual(await ending(), ['victim']));
  const victim = await pods.get(at('victim'));
  t.is(victim.metadata.deletionGracePeriodSeconds, 30);
  t.like(conditionOf(victim.status?.conditions, 'DisruptionTarget'), { status: 'True', reason: 'PreemptionByScheduler', message: 'default-scheduler: preempting to accommodate a higher priority pod' });
  const { uid } = (await pods.get(at('vip'))).metadata;
  await eventually(async () => assert.deepEqual((await eventsAbout('victim')).filter(({ reason }) => reason === 'Preempted').map(({ type, message }) => [type, message]), [['Normal', `Preempted by pod ${uid} on node a`]]));
  t.is((await eventsAbout('vip'))[0]?.message, '0/1 nodes are available: 1 Insufficient cpu.');
  await add('late', 'high', '500m');
  await refused('late', '0/1 nodes are available: 1 Insufficient cpu.');
  await finish('victim');
  await bound('vip', 'a');
  t.is(await nodeOf('late'), undefined, 'it came after, and is not above');
  await stop();
});

test('messages say why nobody is ended', async (t) => {
  const { addNodes, add, bound, pods, at, ending, stop } = await cluster();
  await addNodes('a');
  await add('high', 'high');
  await bound('high', 'a');
  await add('low', 'low');
  await add('polite', 'polite');
  const says = (name: string, message: string) => eventually(async () => assert.equal(conditionOf((await pods.get(at(name))).status?.conditions, 'PodScheduled')?.message, message));
  await says('low', '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.');
  await says('polite', '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.');
  t.deepEqual(await ending(), []);
  await stop();
});

test('a budget is kept where another node can make room', async (t) => {
  const { addNodes, addPod, bound, add, nominated, ending, client, pods, at, stop } = await cluster();
  await addNodes('a', 'b');
  await addPod('x', { cpu: '1' }, { nodeName: 'a' });
  await addPod('y', { cpu: '1' }, { nodeName: 'b', priorityClassName: 'low' });
  await pods.modify(at('x'), (draft) => { draft.metadata.labels = { app: 'web' }; });
  await bound('x', 'a');
  await client.of(PodDisruptionBudget).create({ metadata: { name: 'web', namespace: 'default' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } });
  await settle();
  await add('vip', 'high');
  await nominated('vip', 'b');
  await eventually(async () => assert.deepEqual(await ending(), ['y']));
  t.pass();
  await stop();
});

test('while a victim ends nobody else is ended; a higher one takes the room, and the loser looks for other', async (t) => {
  const { addNodes, add, bound, nominated, ending, finish, clock, pods, at, stop } = await cluster();
  await addNodes('a', 'b');
  await add('x', 'low');
  await bound('x');
  await add('y', 'low');
  await bound('y');
  const nodeOfX = (await pods.get(at('x'))).spec.nodeName!;
  await add('vip', 'high');
  await eventually(async () => assert.equal((await ending()).length, 1));
  const [first] = await ending() as [string];
  const room = first === 'x' ? nodeOfX : nodeOfX === 'a' ? 'b' : 'a';
  await nominated('vip', room);
  await clock.advance(400_000);
  await eventually(async () => assert.equal(conditionOf((await pods.get(at('vip'))).status?.conditions, 'PodScheduled')?.message, '0/2 nodes are available: 2 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.'));
  t.deepEqual(await ending(), [first], 'tried again, it waits on');
  await nominated('vip', room);
  await add('top', 'higher');
  await nominated('top', room);
  await clock.advance(20_000);
  await eventually(async () => assert.equal((await ending()).length, 2));
  await nominated('vip', room === 'a' ? 'b' : 'a');
  await finish(first);
  await bound('top', room);
  await finish(first === 'x' ? 'y' : 'x');
  await bound('vip', room === 'a' ? 'b' : 'a');
  await stop();
});

test('a victim that cannot be told to go is tried again; one that has gone already is no trouble', async (t) => {
  const failures = [new ApiError('InternalError', 'no'), new ApiError('NotFound', 'gone')];
  let tries = 0;
  const { addNodes, add, bound, finish, ending, clock, stop } = await cluster((request) => {
    if (request.verb !== 'delete') return;
    tries++;
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  });
  await addNodes('a');
  await add('victim', 'low');
  await bound('victim', 'a');
  await add('vip', 'high');
  await eventually(() => assert.equal(tries, 1));
  await settle();
  await clock.advance(1_000);
  await eventually(() => assert.equal(tries, 2));
  t.deepEqual(await ending(), []);
  // The one that said it was gone: now it is.
  await finish('victim');
  await bound('vip', 'a');
  await stop();
});

test('a pod that loses the node on which room was made looks for other', async (t) => {
  const { addNodes, add, bound, nominated, clock, client, stop } = await cluster();
  await addNodes('a');
  await add('x', 'low');
  await bound('x', 'a');
  await add('vip', 'high');
  await nominated('vip', 'a');
  await client.of(Node).delete({ name: 'a' });
  await clock.advance(2_000);
  await nominated('vip', undefined);
  await addNodes('b');
  await clock.advance(10_000);
  await bound('vip', 'b');
  t.pass();
  await stop();
});

test('a pod that is deleted leaves the room that was made for it to others', async (t) => {
  const { addNodes, add, bound, nominated, ending, finish, refused, clock, stop } = await cluster();
  await addNodes('a');
  await add('x', 'low');
  await bound('x', 'a');
  await add('vip', 'high');
  await nominated('vip', 'a');
  await eventually(async () => assert.deepEqual(await ending(), ['x']));
  await add('other', 'low', '500m');
  await refused('other', '0/1 nodes are available: 1 Insufficient cpu.');
  await finish('x');
  await bound('vip', 'a');
  await finish('vip');
  await clock.advance(10_000);
  await bound('other', 'a');
  t.pass();
  await stop();
});

test('a scheduler that starts anew knows the room that another one made', async (t) => {
  const first = await cluster();
  await first.addNodes('a', 'b');
  await first.add('x', 'low');
  await first.bound('x');
  await first.add('y', 'low');
  await first.bound('y');
  await first.add('vip', 'high');
  await eventually(async () => assert.equal((await first.ending()).length, 1));
  await eventually(async () => assert.ok((await first.pods.get(first.at('vip'))).status?.nominatedNodeName));
  await first.stop();
  const second = await start(undefined, undefined, { storage: first.storage, clock: first.clock });
  await second.refused('vip', '0/2 nodes are available: 2 Insufficient cpu.');
  await settle();
  const { items } = await createClient(second.transport).of(Pod).list();
  t.is(items.filter((one) => one.metadata.deletionTimestamp !== undefined).length, 1);
  t.truthy(items.find((one) => one.metadata.name === 'vip')?.status?.nominatedNodeName);
  await second.stop();
});

test('a pod is woken where it does not fit yet, but can make room now', async (t) => {
  const { addNode, add, bound, nominated, refused, finish, ending, clock, stop } = await cluster();
  await addNode('a', { allocatable: { cpu: '4' } });
  await add('top', 'higher', '3');
  await bound('top', 'a');
  await add('low', 'low', '1');
  await bound('low', 'a');
  await add('vip', 'high', '4');
  await refused('vip', '0/1 nodes are available: 1 Insufficient cpu.');
  await clock.advance(10_000);
  await finish('top');
  await nominated('vip', 'a');
  await eventually(async () => assert.deepEqual(await ending(), ['low']));
  await finish('low');
  await bound('vip', 'a');
  t.pass();
  await stop();
});
