import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { treeSize } from '../../../kubelet-lite/pressure/pod-storage.ts';
import { parseThresholds } from '../../../kubelet-lite/pressure/thresholds.ts';
import { isConditionTrue } from '../../../schemas/conditions.ts';
import { Event } from '../../../schemas/kinds/core/event.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { agentFixture, agentPki, becomes, nodeName, type AgentFixture } from '../agent-fixture.ts';

const pki = agentPki();
const mebi = 2 ** 20;
type Spec = NonNullable<Pod['spec']>;

/** An agent whose programs use, and write, as many MiB as the test says; 8 GiB of memory, of which the machine itself has a half. */
const begun = async (t: ExecutionContext, thresholds: string, used: Record<string, number>): Promise<AgentFixture> => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  for (const name of Object.keys(used)) agent.runtime.script(name, { runs: [{ usage: () => ({ cpuMilli: 1, memoryBytes: used[name]! * mebi }), writtenBytes: () => used[name]! * mebi }] });
  await agent.start({ eviction: { thresholds: parseThresholds(thresholds), transitionMs: 300_000 } });
  return agent;
};

const run = async (agent: AgentFixture, name: string, spec: Partial<Spec> = {}): Promise<void> => {
  await agent.createPod({ name, spec: { containers: [{ name: 'main', image: name, imagePullPolicy: 'IfNotPresent' }], ...spec } });
  await agent.phase(name, 'Running');
};

const hasCondition = async (agent: AgentFixture, type: string): Promise<boolean> => isConditionTrue((await agent.api.client.of(Node).get({ name: nodeName })).status?.conditions, type);
const nodeEvents = async (agent: AgentFixture): Promise<readonly string[]> => (await agent.api.client.of(Event).list({ namespace: 'default' })).items
  .filter(({ involvedObject }) => involvedObject.name === nodeName).map(({ reason = '', message = '' }) => `${reason}: ${message}`);
/** Lets the agent look again and again; each look may take more than one turn. */
const passing = (agent: AgentFixture, read: () => unknown, expected: unknown): Promise<void> => becomes(async () => {
  await agent.clock.advance(1_000);
  return read();
}, expected);
const phases = async (agent: AgentFixture, ...names: readonly string[]): Promise<readonly string[]> => Promise.all(names.map(async (name) => (await agent.pod(name))?.status?.phase ?? 'gone'));

test('short of memory, the pod goes that has most above what it asked for, and no more than have to', async (t) => {
  const used = { small: 100, greedy: 2_000, asked: 3_000 };
  const agent = await begun(t, 'memory.available<1Gi', used);
  await run(agent, 'small');
  await run(agent, 'greedy');
  await run(agent, 'asked', { containers: [{ name: 'main', image: 'asked', resources: { requests: { memory: '4000Mi' } } }] });
  agent.runtime.script('far', { present: false, pullMs: 3_600_000 });
  await agent.createPod({ name: 'pulling', spec: { containers: [{ name: 'main', image: 'far' }] } });
  await becomes(() => agent.events('pulling'), ['Pulling']);
  await agent.clock.advance(20_000);
  t.deepEqual(await phases(agent, 'small', 'greedy', 'asked'), ['Running', 'Running', 'Running'], '2.5 GiB are left');
  used.greedy = 4_000;
  await passing(agent, () => phases(agent, 'small', 'greedy', 'asked'), ['Running', 'Failed', 'Running']);
  const pod = (await agent.pod('greedy'))!;
  t.like(pod.status, { reason: 'Evicted', qosClass: 'BestEffort' });
  t.is(pod.status?.message, 'The node was low on resource: memory. Threshold quantity: 1Gi, available: 580Mi. Container main was using 4000Mi, request is 0, has larger consumption of memory. ');
  t.like(pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget'), { status: 'True', reason: 'TerminationByKubelet', message: pod.status?.message });
  t.is(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 143);
  // All of it goes from the node; its object stays.
  await becomes(async () => (await agent.runtime.list()).map(({ podName }) => podName).toSorted(), ['asked', 'pulling', 'small']);
  await becomes(async () => (await agent.events('greedy')).filter((reason) => reason === 'Evicted').length, 1);
  t.deepEqual(await nodeEvents(agent), ['EvictionThresholdMet: Attempting to reclaim memory']);
  t.true(await hasCondition(agent, 'MemoryPressure'));
  await agent.clock.advance(60_000);
  t.deepEqual(await phases(agent, 'small', 'asked', 'pulling'), ['Running', 'Running', 'Pending']);
});

test('a pod that is being evicted when the agent ends is evicted to the end by the next', async (t) => {
  const used = { greedy: 8_000 };
  const agent = await begun(t, 'memory.available<1Gi', used);
  agent.runtime.script('greedy', { runs: [{ usage: () => ({ cpuMilli: 1, memoryBytes: used.greedy * mebi }), ignoresTerm: true }] });
  await run(agent, 'greedy');
  await passing(agent, async () => (await agent.pod('greedy'))?.status?.reason, 'Evicted');
  t.is((await agent.pod('greedy'))?.status?.phase, 'Running');
  await agent.stop();
  used.greedy = 1;
  await agent.start({ eviction: { thresholds: parseThresholds('memory.available<1Gi'), transitionMs: 300_000 } });
  await passing(agent, () => phases(agent, 'greedy'), ['Failed']);
  const { reason, conditions = [] } = (await agent.pod('greedy'))!.status!;
  t.is(reason, 'Evicted');
  t.true(isConditionTrue(conditions, 'DisruptionTarget'));
  await becomes(async () => (await agent.runtime.list()).map(({ podName }) => podName), []);
  await agent.clock.advance(60_000);
  await becomes(async () => (await agent.events('greedy')).filter((reason) => reason === 'Started').length, 1, 'nothing of it is started again');
});

test('while the node says that it is short of memory it takes no pod that asks for none, and then again', async (t) => {
  const used = { greedy: 8_000 };
  const agent = await begun(t, 'memory.available<1Gi', used);
  await run(agent, 'greedy');
  await passing(agent, () => phases(agent, 'greedy'), ['Failed']);
  await agent.createPod({ name: 'late', spec: { containers: [{ name: 'main', image: 'other' }] } });
  const late = await agent.phase('late', 'Failed');
  t.like(late.status, { reason: 'Evicted', message: 'Pod was rejected: The node had condition: [MemoryPressure]. ', containerStatuses: undefined });
  await run(agent, 'burstable', { containers: [{ name: 'main', image: 'other', resources: { requests: { memory: '1Mi' } } }] });
  await passing(agent, async () => hasCondition(agent, 'MemoryPressure'), false);
  await run(agent, 'later');
  await becomes(() => agent.events('late'), ['Evicted']);
  // The next agent does not judge anew what was judged.
  await agent.stop();
  await agent.start();
  await agent.clock.advance(10_000);
  t.deepEqual((await agent.pod('late'))?.status, late.status);
});

test('a node that the server does not answer evicts all the same', async (t) => {
  const used = { greedy: 100 };
  const agent = await begun(t, 'memory.available<1Gi', used);
  await run(agent, 'greedy');
  let isAway = true;
  const send = agent.api.transport.send.bind(agent.api.transport);
  agent.api.transport.send = (request, signal) => (isAway ? Promise.reject(new Error('the server is away')) : send(request, signal));
  used.greedy = 8_000;
  await passing(agent, async () => (await agent.runtime.list()).flatMap(({ containers }) => containers.map(({ status }) => status)), ['exited']);
  isAway = false;
  await passing(agent, () => phases(agent, 'greedy'), ['Failed']);
  await passing(agent, () => agent.runtime.list(), []);
  t.is((await agent.pod('greedy'))?.status?.reason, 'Evicted');
});

test('critical pods are not evicted, whatever they use', async (t) => {
  const agent = await begun(t, 'memory.available<1Gi', { critical: 8_000 });
  await run(agent, 'critical', { priorityClassName: 'system-node-critical', priority: 2_000_001_000 });
  await passing(agent, async () => hasCondition(agent, 'MemoryPressure'), true);
  await agent.clock.advance(60_000);
  t.deepEqual(await phases(agent, 'critical'), ['Running']);
});

const disk = (availableBytes: number) => ({ capacityBytes: 1_000 * mebi, availableBytes, inodes: 1_000, inodesFree: 1_000, device: 1 });

test('short of disk, unused images go first, and only then the pod that wrote most', async (t) => {
  const used: Record<string, number> = { writer: 300, reader: 100 };
  const agent = await begun(t, 'nodefs.available<10%', used);
  agent.runtime.script('unused:1', { present: false, sizeBytes: 200 * mebi });
  // What images, pods and others have of one disk.
  let others = 100;
  agent.runtime.nodeDisk = async () => disk((1_000 - others) * mebi
    - (await agent.runtime.images()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - (await agent.runtime.list()).reduce((sum, { podName }) => sum + (used[podName] ?? 0) * mebi, 0));
  agent.runtime.imageDisk = () => agent.runtime.nodeDisk();
  await run(agent, 'writer');
  await run(agent, 'reader');
  await run(agent, 'unused', { containers: [{ name: 'main', image: 'unused:1' }] });
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'unused' }, { gracePeriodSeconds: 0 });
  await agent.gone('unused');
  await agent.clock.advance(130_000);
  others = 350;
  await passing(agent, async () => (await agent.runtime.images()).some(({ names }) => names.includes('unused:1')), false);
  await agent.clock.advance(30_000);
  t.deepEqual(await phases(agent, 'writer', 'reader'), ['Running', 'Running']);
  t.true(await hasCondition(agent, 'DiskPressure'));
  others = 550;
  await passing(agent, () => phases(agent, 'writer', 'reader'), ['Failed', 'Running']);
  t.is((await agent.pod('writer'))?.status?.message, 'The node was low on resource: ephemeral-storage. Threshold quantity: 100Mi, available: 50Mi. Container main was using 300Mi, request is 0, has larger consumption of ephemeral-storage. ');
  await agent.clock.advance(30_000);
  t.deepEqual(await phases(agent, 'reader'), ['Running']);
});

test('a pod that has more of the disk than it may is evicted, without a word of the node', async (t) => {
  const used = { modest: 5, greedy: 5 };
  const agent = await begun(t, 'memory.available<1Mi', used);
  for (const name of ['modest', 'greedy']) await run(agent, name, { containers: [{ name: 'main', image: name, resources: { limits: { 'ephemeral-storage': '10Mi' } } }], volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Mi' } }] });
  await agent.clock.advance(70_000);
  t.deepEqual(await phases(agent, 'modest', 'greedy'), ['Running', 'Running']);
  used.greedy = 11;
  await writeFile(join(agent.dataDir, 'pods', (await agent.pod('modest'))!.metadata.uid!, 'volumes/scratch/file'), Buffer.alloc(2 * mebi, 1));
  await passing(agent, () => phases(agent, 'modest', 'greedy'), ['Failed', 'Failed']);
  t.is((await agent.pod('modest'))?.status?.message, 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ');
  const greedy = (await agent.pod('greedy'))!;
  t.is(greedy.status?.message, 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ');
  t.false(greedy.status?.conditions?.some(({ type }) => type === 'DisruptionTarget'));
  t.deepEqual(await nodeEvents(agent), []);
});

test('a folder is as large as its files, each counted once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-size-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const empty = await treeSize(folder);
  await mkdir(join(folder, 'a/b'), { recursive: true });
  await writeFile(join(folder, 'a/b/one'), Buffer.alloc(64 * 1024, 1));
  await link(join(folder, 'a/b/one'), join(folder, 'two'));
  const full = await treeSize(folder);
  t.is(full.inodes - empty.inodes, 3);
  t.true(full.bytes - empty.bytes >= 64 * 1024 && full.bytes - empty.bytes < 128 * 1024, `${full.bytes - empty.bytes}`);
  t.deepEqual(await treeSize(join(folder, 'none')), { bytes: 0, inodes: 0 });
});
