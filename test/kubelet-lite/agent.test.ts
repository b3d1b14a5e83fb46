import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { eventually } from '../helpers/eventually.ts';
import { settle } from '../helpers/fake-clock.ts';
import { agentFixture, agentPki, becomes, nodeName, type AgentFixture } from './agent-fixture.ts';

const pki = agentPki();
type Spec = NonNullable<Pod['spec']>;
type Container = Spec['containers'][number];

const web = (extra: Partial<Container> = {}, spec: Partial<Spec> = {}): Spec => ({ containers: [{ name: 'web', image: 'web:1', ...extra }], ...spec });

const begun = async (t: ExecutionContext, options: Parameters<AgentFixture['start']>[0] = {}): Promise<AgentFixture> => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  await agent.start(options);
  return agent;
};

const container = (pod: Pod) => pod.status!.containerStatuses![0]!;
const condition = (pod: Pod, type: string) => pod.status!.conditions!.find((one) => one.type === type);

test('the node is registered with labels, resources, addresses and a lease, and becomes Ready', async (t) => {
  const agent = await begun(t);
  const node = await agent.api.client.of(Node).get({ name: nodeName });
  t.like(node.metadata.labels, { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'amd64', pool: 'test' });
  t.like(node.status?.capacity, { cpu: '4', memory: '8Gi', pods: '110' });
  t.like(node.status?.allocatable, { cpu: '4', memory: '8092Mi', pods: '110' }, 'what eviction keeps free is not for pods');
  t.is(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  t.true((node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0) > 0);
  t.like(node.metadata.annotations, { 'swarm.barge.dev/storagedriver': 'none', 'swarm.barge.dev/executiondriver': 'none', 'swarm.barge.dev/engine-labels': '{}' });
  const lease = () => agent.api.client.of(Lease).find({ namespace: 'kube-node-lease', name: nodeName });
  const first = await eventually(async () => (await lease())?.spec?.renewTime ?? Promise.reject(new Error('no lease')));
  await becomes(async () => {
    await agent.clock.advance(10_000);
    return (await lease())?.spec?.renewTime === first;
  }, false);
});

test('a node at rest renews its lease with one request every 5 s and asks for nothing else', async (t) => {
  const agent = await begun(t);
  await becomes(() => agent.requests.filter((request) => request === 'create leases').length, 1);
  // A status that was written a moment ago comes back by the watch.
  await settle(20);
  agent.requests.length = 0;
  for (let beat = 0; beat < 4; beat++) {
    await agent.clock.advance(5_000);
    await becomes(() => agent.requests.length, beat + 1);
  }
  t.deepEqual(agent.requests, Array.from({ length: 4 }, () => 'update leases'));
});

test('the lease is renewed though the status of the node cannot be told', async (t) => {
  const agent = await begun(t);
  const lease = async () => (await agent.api.client.of(Lease).find({ namespace: 'kube-node-lease', name: nodeName }))?.spec?.renewTime;
  const first = await eventually(async () => (await lease()) ?? Promise.reject(new Error('no lease')));
  // An engine that hangs on a question of the status.
  const hanging = Promise.withResolvers<readonly never[]>();
  agent.runtime.images = () => hanging.promise;
  await agent.clock.advance(5_000);
  await settle(20);
  await agent.clock.advance(5_000);
  await becomes(async () => (await lease()) === new Date(Date.parse(first) + 10_000).toISOString().replace('Z', '000Z'), true);
  hanging.resolve([]);
  t.pass();
});

test('a lost engine makes the node not ready, and its return ready', async (t) => {
  const agent = await begun(t);
  const ready = async (): Promise<string | undefined> => (await agent.api.client.of(Node).get({ name: nodeName })).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  agent.runtime.lose();
  await becomes(ready, 'False');
  agent.runtime.restore();
  await agent.clock.advance(1_000);
  await becomes(ready, 'True');
  t.pass();
});

test('a pod comes up with addresses, conditions and events', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'web', spec: web() });
  const pod = await agent.phase('web', 'Running');
  t.regex(pod.status?.podIP ?? '', /^10\.244\./);
  t.is(pod.status?.hostIP, '127.0.0.1');
  t.is(pod.status?.qosClass, 'BestEffort');
  await becomes(async () => {
    await agent.clock.advance(10_000);
    return (await agent.api.client.of(Node).get({ name: nodeName })).status?.images?.flatMap(({ names }) => names ?? []).includes(container(pod).image);
  }, true);
  for (const type of ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']) t.is(condition(pod, type)?.status, 'True', type);
  t.like(container(pod), { ready: true, started: true, restartCount: 0 });
  await becomes(() => agent.events('web'), ['Pulled', 'Created', 'Started']);
});

test('a pod that starts at once costs two writes of its status; one that does not tells of its address meanwhile', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'quick', spec: web() });
  await agent.phase('quick', 'Running');
  t.is(agent.requests.filter((request) => request === 'update pods/status').length, 2);
  agent.runtime.script('slow:1', { runs: [{ startMs: 60_000 }] });
  await agent.createPod({ name: 'slow', spec: web({ image: 'slow:1' }) });
  await agent.until('slow', (pod) => (pod.status?.containerStatuses === undefined ? 'has no status' : undefined));
  await becomes(async () => {
    await agent.clock.advance(200);
    const pod = (await agent.pod('slow'))!;
    return [pod.status?.phase, condition(pod, 'PodReadyToStartContainers')?.status, pod.status?.podIP?.startsWith('10.244.')];
  }, ['Pending', 'True', true]);
});

test('an agent whose server is away asks ever more seldom, no two nodes in step, and tells its state when the server is back', async (t) => {
  const agent = await begun(t);
  const tries = (): number => agent.requests.filter((request) => request === 'update pods/status').length;
  agent.lost.add('update pods/status');
  await agent.createPod({ name: 'web', spec: web() });
  await becomes(() => tries() > 0, true);
  const atMs: number[] = [];
  for (let ms = 0; ms < 60_000; ms += 100) {
    const before = tries();
    await agent.clock.advance(100);
    await settle();
    if (tries() > before) atMs.push(ms);
  }
  const waits = atMs.slice(1).map((ms, index) => ms - atMs[index]!);
  t.true(atMs.length >= 5 && atMs.length <= 10, `tried after ${atMs.join(', ')} ms`);
  t.true(waits.slice(-2).every((wait) => wait >= 9_900 && wait <= 15_100), `waited ${waits.join(', ')} ms`);
  t.true(new Set(waits.slice(-3)).size > 1, `waited ${waits.join(', ')} ms: always the same`);
  agent.lost.clear();
  await becomes(async () => {
    await agent.clock.advance(1_000);
    return (await agent.pod('web'))?.status?.phase;
  }, 'Running');
});

test('a container that ends is restarted at once, then after 10 s, then after 20 s', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('crash:1', { runs: [{ exit: { afterMs: 100, code: 3 } }] });
  await agent.createPod({ name: 'crash', spec: web({ image: 'crash:1' }) });
  await agent.phase('crash', 'Running');
  await agent.clock.advance(150);
  await agent.until('crash', (pod) => (container(pod).restartCount === 1 ? undefined : 'no restart'));
  await agent.clock.advance(100);
  const waiting = await agent.until('crash', (pod) => (container(pod).state?.waiting?.reason === 'CrashLoopBackOff' ? undefined : 'is not waiting'));
  t.regex(container(waiting).state?.waiting?.message ?? '', /^back-off 10s restarting failed container=web pod=crash_default\(/);
  t.is(container(waiting).lastState?.terminated?.exitCode, 3);
  await becomes(async () => (await agent.events('crash')).filter((reason) => reason === 'BackOff').length, 1);
  t.is(waiting.status?.phase, 'Running');
  t.is(condition(waiting, 'Ready')?.status, 'False');
  await agent.clock.advance(9_000);
  t.is(container((await agent.pod('crash'))!).restartCount, 1);
  await agent.clock.advance(1_100);
  await agent.until('crash', (pod) => (container(pod).restartCount === 2 ? undefined : 'no second restart'));
  await agent.clock.advance(200);
  const again = await agent.until('crash', (pod) => (container(pod).state?.waiting?.reason === 'CrashLoopBackOff' ? undefined : 'is not waiting'));
  t.regex(container(again).state?.waiting?.message ?? '', /back-off 20s/);
  const runs = (await agent.runtime.list())[0]!.containers;
  t.deepEqual(runs.map(({ attempt }) => attempt), [1, 2], 'the last run and the one before it are kept');
});

for (const [policy, code, phase] of [['Never', 0, 'Succeeded'], ['Never', 2, 'Failed'], ['OnFailure', 0, 'Succeeded']] as const) {
  test(`restartPolicy ${policy} and exit code ${code} make the pod ${phase}`, async (t) => {
    const agent = await begun(t);
    agent.runtime.script('job:1', { runs: [{ exit: { afterMs: 10, code } }] });
    await agent.createPod({ name: 'job', spec: web({ image: 'job:1' }, { restartPolicy: policy }) });
    await agent.phase('job', 'Running');
    await agent.clock.advance(20);
    const pod = await agent.phase('job', phase);
    t.is(container(pod).state?.terminated?.exitCode, code);
    t.is(condition(pod, 'Ready')?.reason, phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed');
    await becomes(async () => (await agent.runtime.list())[0]!.ready, false, 'the network of a finished pod is given back');
    await agent.clock.advance(1_000);
    t.is((await agent.pod('job'))?.status?.phase, phase);
  });
}

test('init containers run one after the other before the others; a sidecar stays', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('init:1', { runs: [{ exit: { afterMs: 1_000, code: 0 } }] });
  await agent.createPod({ name: 'init', spec: web({}, { initContainers: [{ name: 'first', image: 'init:1' }, { name: 'side', image: 'side:1', restartPolicy: 'Always' }, { name: 'second', image: 'init:1' }] }) });
  const names = async (): Promise<readonly string[]> => ((await agent.runtime.list())[0]?.containers ?? []).map(({ name }) => name);
  await becomes(names, ['first']);
  const early = await agent.until('init', (pod) => (container(pod).state?.waiting?.reason === 'PodInitializing' ? undefined : 'shows no PodInitializing'));
  t.is(early.status?.phase, 'Pending');
  t.is(condition(early, 'Initialized')?.reason, 'ContainersNotInitialized');
  await agent.clock.advance(1_000);
  await becomes(names, ['first', 'second', 'side']);
  await agent.clock.advance(1_000);
  const pod = await agent.phase('init', 'Running');
  t.deepEqual(pod.status?.initContainerStatuses?.map(({ name, ready }) => [name, ready]), [['first', true], ['side', true], ['second', true]]);
});

test('an init container that fails under restartPolicy Never fails the pod', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('init:1', { runs: [{ exit: { afterMs: 10, code: 1 } }] });
  await agent.createPod({ name: 'init', spec: web({}, { restartPolicy: 'Never', initContainers: [{ name: 'first', image: 'init:1' }] }) });
  await becomes(async () => (await agent.runtime.list())[0]?.containers.length, 1);
  await agent.clock.advance(20);
  await agent.phase('init', 'Failed');
  t.deepEqual((await agent.runtime.list())[0]!.containers.map(({ name }) => name), ['first']);
});

test('readiness follows its probe; liveness restarts; a startup probe goes first', async (t) => {
  const agent = await begun(t);
  const answers = { '/ready': 503, '/live': 200, '/started': 503 } as Record<string, number>;
  agent.runtime.script('probed:1', { runs: [{ answers: ({ path }) => answers[path] ?? 404 }] });
  const probe = (path: string) => ({ httpGet: { path, port: 80 }, periodSeconds: 5, failureThreshold: 2 });
  await agent.createPod({ name: 'probed', spec: web({ image: 'probed:1', startupProbe: { ...probe('/started'), failureThreshold: 10 }, readinessProbe: probe('/ready'), livenessProbe: probe('/live') }) });
  const started = await agent.phase('probed', 'Running');
  t.like(container(started), { started: false, ready: false });
  answers['/started'] = 200;
  await agent.clock.advance(5_000);
  await agent.until('probed', (pod) => (container(pod).started === true && !container(pod).ready ? undefined : 'is not started and unready'));
  answers['/ready'] = 204;
  await agent.clock.advance(5_000);
  await agent.until('probed', (pod) => (container(pod).ready ? undefined : 'is not ready'));
  answers['/live'] = 500;
  await agent.clock.advance(5_000);
  t.is(container((await agent.pod('probed'))!).restartCount, 0, 'one failure is not enough');
  await agent.clock.advance(5_000);
  await agent.until('probed', (pod) => (container(pod).restartCount === 1 ? undefined : 'was not restarted'));
  await becomes(async () => (await agent.events('probed')).filter((reason) => reason === 'Unhealthy' || reason === 'Killing').length > 1, true);
});

const unwell = { livenessProbe: { httpGet: { path: '/live', port: 80 }, initialDelaySeconds: 5, failureThreshold: 1 } };

test('under OnFailure a container that fails its liveness probe is started again though it answers TERM with success, as often as it fails', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('bad:1', { runs: [{ termCode: 0, answers: () => 500 }] });
  await agent.createPod({ name: 'bad', spec: web({ image: 'bad:1', ...unwell }, { restartPolicy: 'OnFailure' }) });
  await agent.phase('bad', 'Running');
  await agent.clock.advance(5_000);
  await agent.until('bad', (pod) => (container(pod).restartCount === 1 && container(pod).state?.running !== undefined ? undefined : 'was not restarted'));
  await agent.clock.advance(5_000);
  const waiting = await agent.until('bad', (pod) => (container(pod).state?.waiting?.reason === 'CrashLoopBackOff' ? undefined : 'does not back off'));
  t.is(waiting.status?.phase, 'Running');
  await agent.stop();
  await agent.start();
  t.is((await agent.until('bad', (pod) => (container(pod).restartCount === 2 && container(pod).state?.running !== undefined ? undefined : 'was not restarted'))).status?.phase, 'Running');
});

test('under OnFailure a container with another image is started again though it answers TERM with success', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('web:1', { runs: [{ termCode: 0 }] });
  await agent.createPod({ name: 'web', spec: web({}, { restartPolicy: 'OnFailure' }) });
  await agent.phase('web', 'Running');
  await agent.api.client.of(Pod).modify({ namespace: 'default', name: 'web' }, (draft) => { draft.spec!.containers[0]!.image = 'web:2'; });
  await agent.until('web', (pod) => (container(pod).restartCount === 1 && container(pod).state?.running !== undefined ? undefined : 'was not replaced'));
  t.is((await agent.pod('web'))?.status?.phase, 'Running');
});

for (const [termCode, phase] of [[0, 'Succeeded'], [143, 'Failed']] as const) {
  test(`under Never a container that fails its liveness probe and ends with ${termCode} is not started again: ${phase}`, async (t) => {
    const agent = await begun(t);
    agent.runtime.script('bad:1', { runs: [{ termCode, answers: () => 500 }] });
    await agent.createPod({ name: 'bad', spec: web({ image: 'bad:1', ...unwell }, { restartPolicy: 'Never' }) });
    await agent.phase('bad', 'Running');
    await agent.clock.advance(5_000);
    await agent.phase('bad', phase);
    t.is((await agent.runtime.list()).flatMap(({ containers }) => containers).length, 1);
  });
}

test('a deleted pod is withdrawn, stopped within its grace, and taken out', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('slow:1', { runs: [{ termMs: 4_000 }] });
  await agent.createPod({ name: 'slow', spec: web({ image: 'slow:1' }, { terminationGracePeriodSeconds: 10 }) });
  const { status } = await agent.phase('slow', 'Running');
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'slow' });
  await becomes(() => agent.withdrawn, [status!.podIP!]);
  await agent.clock.advance(3_900);
  t.truthy(await agent.pod('slow'), 'it is still ending');
  await agent.clock.advance(200);
  await agent.gone('slow');
});

test('a container that is being started when its pod is deleted ends before the sidecars', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('late:1', { runs: [{ startMs: 1_000, termMs: 3_000 }] });
  await agent.createPod({ name: 'late', spec: { ...web({ image: 'late:1' }, { terminationGracePeriodSeconds: 30 }), initContainers: [{ name: 'side', image: 'side:1', restartPolicy: 'Always' }] } });
  const runs = async () => (await agent.runtime.list()).flatMap(({ containers }) => containers).map(({ name, status }) => `${name} ${status}`).sort();
  await becomes(runs, ['side running', 'web created']);
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'late' });
  await becomes(() => agent.withdrawn.length, 1);
  await settle();
  t.deepEqual(await runs(), ['side running', 'web created'], 'the sidecar stays while a start is under way');
  await agent.clock.advance(1_500);
  t.deepEqual(await runs(), ['side running', 'web running'], 'what came up has its own time to end');
  await agent.clock.advance(2_500);
  await agent.gone('late');
});

test('a process that ignores TERM is killed when the grace is over', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('deaf:1', { runs: [{ ignoresTerm: true }] });
  await agent.createPod({ name: 'deaf', spec: web({ image: 'deaf:1' }, { terminationGracePeriodSeconds: 5 }) });
  await agent.phase('deaf', 'Running');
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'deaf' });
  await agent.clock.advance(4_500);
  t.truthy(await agent.pod('deaf'));
  await agent.clock.advance(600);
  await agent.gone('deaf');
});

test('an ephemeral container runs once in a running pod and does not count for its state', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('look:1', { runs: [{ exit: { afterMs: 1_000, code: 3 } }] });
  const maps = agent.api.client.of(ConfigMap);
  await agent.createPod({ name: 'web', spec: web() });
  await agent.phase('web', 'Running');
  await maps.create({ metadata: { namespace: 'default', name: 'hints' }, data: { a: '1' } });
  const pods = agent.api.client.of(Pod);
  const pod = await pods.get({ namespace: 'default', name: 'web' });
  const body = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: 'look', image: 'look:1', targetContainerName: 'web', envFrom: [{ configMapRef: { name: 'hints' } }] }] } };
  await agent.api.transport.send({ verb: 'update', group: '', version: 'v1', resource: 'pods', namespace: 'default', name: 'web', subresource: 'ephemeralcontainers', body });
  const looked = (one: Pod) => one.status?.ephemeralContainerStatuses?.[0];
  t.like(looked(await agent.until('web', (one) => (looked(one)?.state?.running === undefined ? 'does not look' : undefined))), { name: 'look', ready: false, restartCount: 0 });
  await agent.clock.advance(1_100);
  const after = await agent.until('web', (one) => (looked(one)?.state?.terminated === undefined ? 'still looks' : undefined));
  t.is(looked(after)?.state?.terminated?.exitCode, 3);
  t.is(after.status?.phase, 'Running');
  t.is(condition(after, 'Ready')?.status, 'True');
  await agent.clock.advance(60_000);
  t.is((await agent.runtime.list())[0]!.containers.filter(({ name }) => name === 'look').length, 1);
});

test('a volume that cannot be made yet is told in the status', async (t) => {
  const agent = await begun(t);
  const volume = (source: object): Spec => web({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { volumes: [{ name: 'v', ...source }] });
  for (const [name, source, reason, message] of [
    ['missing', { configMap: { name: 'later' } }, 'ContainerCreating', /volume "v": configmap "later" not found/],
  ] as const) {
    await agent.createPod({ name, spec: volume(source) });
    const pod = await agent.until(name, (one) => (one.status?.containerStatuses?.[0]?.state?.waiting?.message === undefined ? 'says nothing' : undefined));
    t.is(container(pod).state?.waiting?.reason, reason);
    t.regex(container(pod).state?.waiting?.message ?? '', message);
  }
});

test('files that show labels and annotations follow them', async (t) => {
  const agent = await begun(t);
  const labels = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }];
  const volumes = [
    { name: 'own', downwardAPI: { items: [...labels, { path: 'note', fieldRef: { fieldPath: "metadata.annotations['note']" } }] } },
    { name: 'joined', projected: { sources: [{ downwardAPI: { items: labels } }] } },
  ];
  await agent.createPod({ name: 'web', labels: { a: '1' }, spec: web({ volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })) }, { volumes }) });
  const { metadata: { uid = '' } } = await agent.phase('web', 'Running');
  const read = (): Promise<readonly string[]> => Promise.all(['own/labels', 'own/note', 'joined/labels'].map((file) => readFile(join(agent.dataDir, 'pods', uid, 'volumes', file), 'utf8')));
  t.deepEqual(await read(), ['a="1"', '', 'a="1"']);
  await agent.api.client.of(Pod).modify({ namespace: 'default', name: 'web' }, (draft) => {
    draft.metadata.labels = { a: '2' };
    draft.metadata.annotations = { note: 'new' };
  });
  await becomes(read, ['a="2"', 'new', 'a="2"']);
});

test('a second deletion with less grace shortens the end that is under way', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('deaf:1', { runs: [{ ignoresTerm: true }] });
  await agent.createPod({ name: 'deaf', spec: web({ image: 'deaf:1' }, { terminationGracePeriodSeconds: 600 }) });
  await agent.phase('deaf', 'Running');
  const pods = agent.api.client.of(Pod);
  await pods.delete({ namespace: 'default', name: 'deaf' });
  await agent.clock.advance(1_000);
  await becomes(() => agent.withdrawn.length, 1);
  await pods.delete({ namespace: 'default', name: 'deaf' }, { gracePeriodSeconds: 3 });
  await settle();
  await agent.clock.advance(1_500);
  t.truthy(await agent.pod('deaf'));
  await agent.clock.advance(3_000);
  await agent.gone('deaf');
});

test('preStop runs once when the end of the pod overtakes a restart', async (t) => {
  const agent = await begun(t);
  const commands: string[] = [];
  agent.runtime.script('hooked:1', { runs: [{ exec: (command) => { commands.push(command.join(' ')); return { code: command[0] === 'alive' ? 1 : 0 }; }, termMs: 100 }] });
  await agent.createPod({ name: 'hooked', spec: web({
    image: 'hooked:1', lifecycle: { preStop: { sleep: { seconds: 5 } } }, livenessProbe: { exec: { command: ['alive'] }, failureThreshold: 1, periodSeconds: 1 },
  }, { terminationGracePeriodSeconds: 30 }) });
  await agent.phase('hooked', 'Running');
  await agent.clock.advance(10);
  await becomes(async () => (await agent.events('hooked')).filter((reason) => reason === 'Killing').length, 1);
  await agent.clock.advance(2_000);
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'hooked' });
  await settle();
  // Three seconds of the hook are left: a hook of its own would need five.
  await agent.clock.advance(3_500);
  await agent.gone('hooked');
  t.pass();
});

test('a pod that is removed from the API at once goes from the engine, too', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('deaf:1', { runs: [{ ignoresTerm: true }] });
  await agent.createPod({ name: 'deaf', spec: web({ image: 'deaf:1' }) });
  await agent.phase('deaf', 'Running');
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'deaf' }, { gracePeriodSeconds: 0 });
  await agent.gone('deaf');
  t.pass();
});

test('a restarted agent adopts its pods: same container, no restart, and still ready', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'web', spec: web({ readinessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 60 } }) });
  await agent.phase('web', 'Running');
  await agent.clock.advance(61_000);
  const before = await agent.until('web', (pod) => (container(pod).ready ? undefined : 'is not ready'));
  await agent.stop();
  await agent.start();
  await settle();
  const after = (await agent.pod('web'))!;
  t.is(container(after).containerID, container(before).containerID);
  t.like(container(after), { restartCount: 0, ready: true });
  await agent.clock.advance(1_000);
  t.is((await agent.runtime.list()).flatMap(({ containers }) => containers).length, 1);
});

test('pods that were deleted or made while the agent was away are taken away and started', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'old', spec: web() });
  await agent.phase('old', 'Running');
  await agent.stop();
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'old' }, { gracePeriodSeconds: 0 });
  await agent.createPod({ name: 'new', spec: web() });
  await agent.start();
  await agent.gone('old');
  await agent.phase('new', 'Running');
  t.pass();
});

test('a lost sandbox is replaced and its containers count a restart', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'web', spec: web() });
  const before = await agent.phase('web', 'Running');
  agent.runtime.killSandbox(before.metadata.uid!);
  const after = await agent.until('web', (pod) => (container(pod).restartCount === 1 && container(pod).ready ? undefined : 'is not up again'));
  t.not(after.status?.podIP, before.status?.podIP);
  await becomes(async () => (await agent.runtime.list()).map(({ attempt }) => attempt), [1]);
});

test('an image that cannot be pulled is shown, and tried again', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('gone:1', { present: false, pullError: 'manifest for gone:1 not found' });
  await agent.createPod({ name: 'gone', spec: web({ image: 'gone:1' }) });
  const failed = await agent.until('gone', (pod) => (container(pod).state?.waiting?.reason === 'ErrImagePull' ? undefined : 'shows no error'));
  t.regex(container(failed).state?.waiting?.message ?? '', /manifest for gone:1 not found/);
  await agent.clock.advance(2_000);
  await agent.until('gone', (pod) => (container(pod).state?.waiting?.reason === 'ImagePullBackOff' ? undefined : 'does not back off'));
  agent.runtime.script('gone:1', { present: false });
  await agent.clock.advance(8_500);
  await agent.phase('gone', 'Running');
  t.pass();
});

test('Always uses the image at hand when no registry answers, with a warning', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('mongo', { pullError: 'dial tcp: lookup registry-1.docker.io: no such host' });
  await agent.createPod({ name: 'db', spec: web({ image: 'mongo', imagePullPolicy: 'Always' }) });
  await agent.phase('db', 'Running');
  await becomes(async () => (await agent.events('db')).includes('RegistryUnreachable'), true);
  agent.runtime.script('other.example/denied', { pullError: 'pull access denied for denied' });
  await agent.createPod({ name: 'denied', spec: web({ image: 'other.example/denied', imagePullPolicy: 'Always' }) });
  await agent.until('denied', (pod) => (container(pod).state?.waiting?.reason === 'ErrImagePull' ? undefined : 'was not refused'));
  t.pass();
});

test('a missing ConfigMap holds a container back until it is there', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'env', spec: web({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] }) });
  const held = await agent.until('env', (pod) => (container(pod).state?.waiting?.reason === 'CreateContainerConfigError' ? undefined : 'was not held back'));
  t.is(container(held).state?.waiting?.message, 'configmap "settings" not found');
  await agent.api.client.of(ConfigMap).create({ metadata: { name: 'settings', namespace: 'default' }, data: { a: '1' } });
  await agent.phase('env', 'Running');
  t.pass();
});

test('what this node cannot do is refused with the reason', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'odd', spec: web({ securityContext: { seLinuxOptions: { level: 's0' } }, volumeMounts: [{ name: 'v', mountPath: '/v' }] }, {
    initContainers: [{ name: 'first', image: 'init:1' }], volumes: [{ name: 'v', nfs: { server: 'x', path: '/' } }], securityContext: { supplementalGroupsPolicy: 'Strict' },
  }) });
  const odd = await agent.phase('odd', 'Failed');
  t.is(odd.status?.reason, 'UnsupportedPod');
  t.is(odd.status?.message, "spec.securityContext.supplementalGroupsPolicy: Strict (the engine always adds the groups of the image's own files) is not supported by this node; "
    + 'volume "v" of kind nfs is not supported by this node; container web: securityContext.seLinuxOptions is not supported by this node');
  t.deepEqual(odd.status?.initContainerStatuses, undefined, 'nothing of it ran');
});

test('what is kept from pods is told, and pods that name their node are not given it', async (t) => {
  const agent = await begun(t, { reserved: [{ cpu: '500m', memory: '1Gi' }, { cpu: '500m' }], eviction: { thresholds: [], transitionMs: 0 } });
  const { status } = await agent.api.client.of(Node).get({ name: nodeName });
  t.like(status, { capacity: { cpu: '4', memory: '8Gi' }, allocatable: { cpu: '3', memory: '7Gi' } });
  await agent.createPod({ name: 'small', spec: web({ resources: { requests: { cpu: '2' } } }) });
  await agent.phase('small', 'Running');
  await agent.createPod({ name: 'large', spec: web({ resources: { requests: { cpu: '2' } } }) });
  t.like((await agent.phase('large', 'Failed')).status, { reason: 'OutOfcpu', message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 2000, capacity: 3000" });
  await agent.createPod({ name: 'elsewhere', spec: web({}, { nodeSelector: { disk: 'ssd' } }) });
  t.like((await agent.phase('elsewhere', 'Failed')).status, { reason: 'NodeAffinity' });
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'small' });
  await agent.gone('small');
  await agent.createPod({ name: 'again', spec: web({ resources: { requests: { cpu: '2' } } }) });
  await agent.phase('again', 'Running');
});

test('an ephemeral container that this node cannot make is refused by itself, and its pod runs on', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'web', spec: web() });
  await agent.phase('web', 'Running');
  const before = await agent.api.client.of(Pod).get({ namespace: 'default', name: 'web' });
  const body = { ...before, spec: { ...before.spec, ephemeralContainers: [{ name: 'look', image: 'debug:1', securityContext: { seLinuxOptions: { level: 's0' } } }] } };
  await agent.api.transport.send({ verb: 'update', group: '', version: 'v1', resource: 'pods', namespace: 'default', name: 'web', subresource: 'ephemeralcontainers', body });
  const pod = await agent.until('web', (one) => (one.status?.ephemeralContainerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError' ? undefined : 'was not refused'));
  t.regex(pod.status?.ephemeralContainerStatuses?.[0]?.state?.waiting?.message ?? '', /container look: securityContext\.seLinuxOptions is not supported by this node/);
  t.is(pod.status?.phase, 'Running');
});

test('a device that is not on the node is told, and its container waits', async (t) => {
  const agent = await begun(t);
  for (const [name, device, why] of [['gone', '/dev/no-such-device', 'container web: there is no device /dev/no-such-device on this node'], ['folder', '/dev/fd', 'container web: /dev/fd is no device on this node']] as const) {
    await agent.createPod({ name, spec: web(), annotations: { 'devices.barge.dev/web': device } });
    const pod = await agent.until(name, (one) => (container(one).state?.waiting?.reason === 'CreateContainerConfigError' ? undefined : 'was not refused'));
    t.is(container(pod).state?.waiting?.message, why);
  }
  await agent.createPod({ name: 'null', spec: web(), annotations: { 'devices.barge.dev/web': '/dev/null:/dev/nothing' } });
  await agent.phase('null', 'Running');
});

test('activeDeadlineSeconds ends a pod', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'late', spec: web({}, { activeDeadlineSeconds: 5 }) });
  await agent.phase('late', 'Running');
  await agent.clock.advance(5_100);
  const pod = await agent.phase('late', 'Failed');
  t.is(pod.status?.reason, 'DeadlineExceeded');
});

test('postStart that fails ends the container, preStop runs before TERM', async (t) => {
  const agent = await begun(t);
  const commands: string[] = [];
  agent.runtime.script('hooked:1', { runs: [{ exec: (command) => { commands.push(command.join(' ')); return { code: command[0] === 'bad' ? 1 : 0 }; } }] });
  await agent.createPod({ name: 'hooked', spec: web({ image: 'hooked:1', lifecycle: { postStart: { exec: { command: ['hello'] } }, preStop: { exec: { command: ['bye'] } } } }) });
  await agent.phase('hooked', 'Running');
  await becomes(() => commands, ['hello']);
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'hooked' });
  await agent.gone('hooked');
  t.deepEqual(commands, ['hello', 'bye']);
  await agent.createPod({ name: 'bad', spec: web({ image: 'hooked:1', lifecycle: { postStart: { exec: { command: ['bad'] } } } }, { restartPolicy: 'Never' }) });
  await agent.phase('bad', 'Failed');
  await becomes(async () => (await agent.events('bad')).includes('FailedPostStartHook'), true);
});

test('a changed image replaces the container', async (t) => {
  const agent = await begun(t);
  await agent.createPod({ name: 'web', spec: web() });
  await agent.phase('web', 'Running');
  await agent.api.client.of(Pod).modify({ namespace: 'default', name: 'web' }, (draft) => { draft.spec!.containers[0]!.image = 'web:2'; });
  await agent.until('web', (pod) => (container(pod).restartCount === 1 && container(pod).state?.running !== undefined ? undefined : 'was not replaced'));
  const runs = (await agent.runtime.list())[0]!.containers;
  t.deepEqual(runs.map(({ image, status }) => [image, status]), [['web:1', 'exited'], ['web:2', 'running']]);
});

test('devices that are put into the capacity stay, and pods may ask for them', async (t) => {
  const agent = await begun(t);
  const nodes = agent.api.client.of(Node);
  const gpus = async (): Promise<unknown> => (await nodes.get({ name: nodeName })).status?.allocatable?.['example.com/gpu'];
  // As the documentation of extended resources does it.
  await agent.api.transport.send({ verb: 'patch', group: '', version: 'v1', resource: 'nodes', name: nodeName, subresource: 'status', patchType: 'json', body: [{ op: 'add', path: '/status/capacity/example.com~1gpu', value: '4' }] });
  // A heartbeat goes by what the agent's watch has shown it so far.
  const afterHeartbeat = async (): Promise<unknown> => {
    await agent.clock.advance(5_000);
    return gpus();
  };
  await becomes(afterHeartbeat, '4');
  t.like((await nodes.get({ name: nodeName })).status, { capacity: { cpu: '4', 'example.com/gpu': '4' }, allocatable: { cpu: '4', memory: '8092Mi' } });
  await agent.api.transport.send({ verb: 'patch', group: '', version: 'v1', resource: 'nodes', name: nodeName, subresource: 'status', patchType: 'json', body: [{ op: 'remove', path: '/status/capacity/example.com~1gpu' }] });
  await becomes(afterHeartbeat, undefined);
});

test('the HEALTHCHECK of an image is readiness where no probe is given, and restarts nothing', async (t) => {
  const agent = await begun(t);
  let well = 1;
  const asked: string[] = [];
  agent.runtime.script('checked:1', {
    health: { command: ['am-i-well', '-q'], intervalSeconds: 5, timeoutSeconds: 3, retries: 2 },
    runs: [{ exec: (command) => {
      asked.push(command.join(' '));
      return { code: well };
    } }],
  });
  const spec = (extra: object = {}): NonNullable<Pod['spec']> => ({ containers: [{ name: 'web', image: 'checked:1', imagePullPolicy: 'IfNotPresent', ...extra }] });
  await agent.createPod({ name: 'own', spec: spec({ readinessProbe: { exec: { command: ['mine'] }, periodSeconds: 1000 } }) });
  await agent.createPod({ name: 'checked', spec: spec() });
  const readiness = (ready: boolean) => agent.until('checked', (pod) => {
    void agent.clock.advance(5_000);
    return container(pod).ready === ready ? undefined : `is not ${ready ? 'ready' : 'unready'}`;
  });
  await agent.phase('checked', 'Running');
  t.false(container(await readiness(false)).ready);
  well = 0;
  await readiness(true);
  well = 1;
  t.is(container(await readiness(false)).restartCount, 0);
  t.deepEqual([...new Set(asked)].toSorted(), ['am-i-well -q', 'mine']);
});
