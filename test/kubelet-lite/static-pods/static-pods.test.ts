import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseYaml } from '../../../cli/manifest-yaml.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { Event } from '../../../schemas/kinds/core/event.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { agentFixture, agentPki, becomes, nodeName, type AgentFixture } from '../agent-fixture.ts';

const pki = agentPki();

interface Lab {
  readonly agent: AgentFixture;
  /** Writes a file of the folder; undefined takes it away. */
  put(name: string, text: string | undefined): Promise<void>;
  start(): Promise<void>;
  begin(): void;
}

const lab = async (t: ExecutionContext): Promise<Lab> => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  const path = join(agent.dataDir, 'manifests');
  await mkdir(path);
  const options = { staticPods: { path, readManifest: parseYaml } };
  return {
    agent, start: () => agent.start(options), begin: () => agent.begin(options),
    put: (name, text) => (text === undefined ? rm(join(path, name)) : writeFile(join(path, name), text)),
  };
};

const manifest = (name: string, image = 'web:1', spec: object = {}, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers: [{ name: 'main', image }], ...spec } });

const mirrorAt = (name: string): string => `${name}-${nodeName}`;
/** What the engine runs, as pod and image. */
const running = async (agent: AgentFixture): Promise<readonly string[]> => (await agent.runtime.list())
  .flatMap(({ podName, containers }) => containers.filter(({ status }) => status === 'running').map(({ image }) => `${podName} ${image}`)).toSorted();
/** Lets time pass until it is as expected: the folder is looked at every 20 s. */
const passing = (agent: AgentFixture, read: () => unknown, expected: unknown, message?: string): Promise<void> => becomes(async () => {
  await agent.clock.advance(1_000);
  return read();
}, expected, message);
const isRunning = (pod: Pod): string | undefined => (pod.status?.phase === 'Running' && pod.status.containerStatuses?.[0]?.ready === true ? undefined : 'is not running and ready');
const mirror = (agent: AgentFixture, name: string): Promise<Pod> => agent.until(mirrorAt(name), isRunning);

test('a file becomes a running pod and a mirror with its status; the mirror can be deleted, and nothing happens to the pod', async (t) => {
  const { agent, put, start } = await lab(t);
  await put('web.yaml', manifest('web', 'web:1', {}, { labels: { app: 'web' } }));
  await start();
  const first = await mirror(agent, 'web');
  const [sandbox] = await agent.runtime.list();
  t.like(first.metadata, { labels: { app: 'web' }, ownerReferences: [{ kind: 'Node', name: nodeName, controller: true }] });
  t.is(first.metadata.annotations?.['kubernetes.io/config.source'], 'file');
  t.is(first.metadata.annotations?.['kubernetes.io/config.mirror'], sandbox!.podUid);
  t.is(first.metadata.annotations?.['kubernetes.io/config.hash'], sandbox!.podUid);
  t.is(first.status?.podIP, sandbox!.ip);
  t.is(first.spec.nodeName, nodeName);
  t.is(first.spec.serviceAccountName, undefined);

  for (const gracePeriodSeconds of [undefined, 0]) {
    const before = (await mirror(agent, 'web')).metadata.uid;
    await agent.api.client.of(Pod).delete({ namespace: 'default', name: mirrorAt('web') }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
    await agent.until(mirrorAt('web'), (pod) => (pod.metadata.uid === before ? 'is the deleted one' : isRunning(pod)));
  }
  const [now] = await agent.runtime.list();
  t.deepEqual([now!.id, now!.containers.map(({ id, status }) => [id, status])], [sandbox!.id, sandbox!.containers.map(({ id }) => [id, 'running'])], 'the same containers all the time');
  agent.runtime.kill(sandbox!.podUid, 'main', 1);
  await agent.until(mirrorAt('web'), (pod) => (pod.status?.containerStatuses?.[0]?.restartCount === 1 ? isRunning(pod) : 'was not restarted'));
});

test('another content replaces the pod when it has ended, within its grace; without its file it goes', async (t) => {
  const { agent, put, start } = await lab(t);
  agent.runtime.script('web:1', { runs: [{ termMs: 5_000 }] });
  await put('web.yaml', manifest('web', 'web:1', { terminationGracePeriodSeconds: 10 }));
  await start();
  const first = await mirror(agent, 'web');
  await put('web.yaml', manifest('web', 'web:2'));
  const seen = new Set<string>();
  await passing(agent, async () => {
    const now = await running(agent);
    seen.add(now.join());
    return now;
  }, [`${mirrorAt('web')} web:2`]);
  t.false([...seen].some((images) => images.includes('web:1') && images.includes('web:2')), 'never both');
  const second = await agent.until(mirrorAt('web'), (pod) => (pod.metadata.uid === first.metadata.uid ? 'is the old one' : isRunning(pod)));
  t.is(second.spec.containers[0]?.image, 'web:2');
  t.is((await agent.runtime.list()).length, 1);
  await put('web.yaml', undefined);
  await passing(agent, async () => (await agent.runtime.list()).length, 0);
  await passing(agent, async () => agent.pod(mirrorAt('web')), undefined);
});

test('a bad file is told with file and field, and disturbs neither the others nor the pod that it was', async (t) => {
  const { agent, put, start } = await lab(t);
  await put('good.yaml', manifest('good'));
  await put('bad.json', manifest('bad', 'web:1', { volumes: [{ name: 's', secret: { secretName: 'treasure' } }] }));
  await put('.hidden.yaml', 'a: [');
  await put('notes.txt', 'a: [');
  await put('twice.yaml', manifest('good', 'web:9'));
  await start();
  await mirror(agent, 'good');
  const told = async (): Promise<readonly string[]> => (await agent.api.client.of(Event).list({ namespace: 'default' })).items.filter(({ reason }) => reason === 'InvalidStaticPod').map(({ message = '' }) => message.replaceAll(join(agent.dataDir, 'manifests/'), '')).toSorted();
  await becomes(told, [
    'bad.json: spec.volumes[0].secret: static pods may not reference secrets',
    `twice.yaml: metadata.name: good.yaml has the pod default/${mirrorAt('good')} already`,
  ]);
  await put('good.yaml', manifest('good').slice(0, -10));
  await passing(agent, async () => (await told()).length, 3);
  await agent.clock.advance(60_000);
  t.deepEqual(await running(agent), [`${mirrorAt('good')} web:1`]);
  await put('bad.json', manifest('bad'));
  await passing(agent, () => running(agent), [`${mirrorAt('bad')} web:1`, `${mirrorAt('good')} web:1`]);
});

test('without a server that was there before, static pods run from the last known addresses, and are shown when it comes', async (t) => {
  const { agent, put, start, begin } = await lab(t);
  await start();
  await agent.stop();
  await put('web.yaml', manifest('web'));
  agent.cut();
  begin();
  await passing(agent, () => running(agent), [`${mirrorAt('web')} web:1`]);
  const [sandbox] = await agent.runtime.list();
  t.truthy(sandbox?.ip);
  await put('web.yaml', manifest('web', 'web:2'));
  await passing(agent, () => running(agent), [`${mirrorAt('web')} web:2`], 'files are followed without a server');
  const [changed] = await agent.runtime.list();
  await put('late.yaml', manifest('late'));
  await passing(agent, () => running(agent), [`${mirrorAt('late')} web:1`, `${mirrorAt('web')} web:2`]);
  agent.mend();
  await passing(agent, async () => [(await agent.pod(mirrorAt('web')))?.status?.phase, (await agent.pod(mirrorAt('late')))?.status?.phase], ['Running', 'Running']);
  t.is((await agent.runtime.list()).find(({ podName }) => podName === mirrorAt('web'))?.id, changed?.id, 'it ran all the time');
  await agent.createPod({ name: 'usual', spec: { containers: [{ name: 'main', image: 'web:1' }] } });
  await passing(agent, async () => (await agent.pod('usual'))?.status?.phase, 'Running');
});

test('on its first start without a server a node runs the pods that need no pod network, and the others when it has one', async (t) => {
  const { agent, put, begin } = await lab(t);
  await put('host.yaml', manifest('host', 'web:1', { hostNetwork: true }));
  await put('own.yaml', manifest('own'));
  agent.cut();
  begin();
  await passing(agent, () => running(agent), [`${mirrorAt('host')} web:1`]);
  await agent.clock.advance(60_000);
  t.deepEqual(await running(agent), [`${mirrorAt('host')} web:1`]);
  agent.mend();
  await passing(agent, () => running(agent), [`${mirrorAt('host')} web:1`, `${mirrorAt('own')} web:1`]);
  await passing(agent, async () => (await agent.pod(mirrorAt('own')))?.status?.phase, 'Running');
});

test('an agent that is started again adopts what runs, and clears away what has no file any more', async (t) => {
  const { agent, put, start } = await lab(t);
  await put('web.yaml', manifest('web'));
  await put('gone.yaml', manifest('gone'));
  await put('other.yaml', manifest('other'));
  await start();
  await Promise.all(['web', 'gone', 'other'].map((name) => mirror(agent, name)));
  const idOf = async (name: string): Promise<string | undefined> => (await agent.runtime.list()).find(({ podName }) => podName === mirrorAt(name))?.containers.at(-1)?.id;
  const before = await idOf('web');
  await agent.stop();
  await put('gone.yaml', undefined);
  await put('other.yaml', manifest('other', 'web:2'));
  await start();
  await passing(agent, () => running(agent), [`${mirrorAt('other')} web:2`, `${mirrorAt('web')} web:1`]);
  t.is(await idOf('web'), before);
  t.is((await mirror(agent, 'web')).status?.containerStatuses?.[0]?.restartCount, 0);
  await passing(agent, async () => agent.pod(mirrorAt('gone')), undefined);
  await agent.until(mirrorAt('other'), (pod) => (pod.spec.containers[0]?.image === 'web:2' ? isRunning(pod) : 'is the old one'));
});

test('a mirror that the agent did not make is no pod: nothing runs for it, and it goes', async (t) => {
  const { agent, start } = await lab(t);
  await agent.createPod({ name: 'forged', spec: { containers: [{ name: 'main', image: 'web:1' }] }, annotations: { 'kubernetes.io/config.mirror': 'x' } });
  await start();
  await passing(agent, async () => agent.pod('forged'), undefined);
  await agent.createPod({ name: 'later', spec: { containers: [{ name: 'main', image: 'web:1' }] }, annotations: { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.source': 'file' } });
  await passing(agent, async () => agent.pod('later'), undefined);
  t.deepEqual(await agent.runtime.list(), []);
});

test('a static pod whose name another pod has runs unseen, and the node says so; it is shown when the name is free', async (t) => {
  const { agent, put, start } = await lab(t);
  await agent.createPod({ name: mirrorAt('web'), spec: { nodeName: 'elsewhere', containers: [{ name: 'main', image: 'web:1' }] } });
  await put('web.yaml', manifest('web', 'web:2'));
  await start();
  await passing(agent, () => running(agent), [`${mirrorAt('web')} web:2`]);
  const told = async (): Promise<readonly string[]> => (await agent.api.client.of(Event).list({ namespace: 'default' })).items.filter(({ reason }) => reason === 'FailedMirrorPod').map(({ message = '' }) => message);
  await passing(agent, told, [`the mirror of the static pod default/${mirrorAt('web')} cannot be kept (create): another pod has the name`]);
  await agent.api.client.of(Pod).delete({ namespace: 'default', name: mirrorAt('web') }, { gracePeriodSeconds: 0 });
  await passing(agent, async () => (await agent.pod(mirrorAt('web')))?.status?.phase, 'Running');
  t.is((await agent.pod(mirrorAt('web')))?.spec.containers[0]?.image, 'web:2');
});

test('a node that is made anew is shown its static pods again', async (t) => {
  const { agent, put, start } = await lab(t);
  await put('web.yaml', manifest('web'));
  await start();
  const first = await mirror(agent, 'web');
  const [sandbox] = await agent.runtime.list();
  const { metadata, spec } = await agent.api.client.of(Node).get({ name: nodeName });
  await agent.api.client.of(Node).delete({ name: nodeName });
  await agent.api.client.of(Node).create({ metadata: { name: nodeName, labels: { ...metadata.labels } }, spec: { podCIDR: spec!.podCIDR! } });
  const second = await agent.until(mirrorAt('web'), (pod) => (pod.metadata.uid === first.metadata.uid ? 'is the old one' : isRunning(pod)));
  t.not(second.metadata.ownerReferences?.[0]?.uid, first.metadata.ownerReferences?.[0]?.uid);
  t.is((await agent.runtime.list())[0]?.containers[0]?.id, sandbox!.containers[0]?.id);
});
