import test, { type ExecutionContext } from 'ava';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { agentFixture, agentPki, becomes, type AgentFixture } from './agent-fixture.ts';

const pki = agentPki();
type Container = Pod['spec']['containers'][number];
type Resources = NonNullable<Container['resources']>;

const begun = async (t: ExecutionContext): Promise<AgentFixture> => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  await agent.start();
  return agent;
};

/** A running pod of one container. */
const running = async (agent: AgentFixture, name: string, resources: Resources, extra: Partial<Container> = {}, spec: Partial<Pod['spec']> = {}): Promise<Pod> => {
  await agent.createPod({ name, spec: { containers: [{ name: 'main', image: 'web:1', resources, ...extra }], terminationGracePeriodSeconds: 0, ...spec } });
  return agent.phase(name, 'Running');
};

const resize = (agent: AgentFixture, name: string, resources: Resources): Promise<Pod> =>
  agent.api.client.of(Pod).patch({ namespace: 'default', name }, 'strategic', { spec: { containers: [{ name: 'main', resources }] } }, { subresource: 'resize' });

const main = (pod: Pod) => pod.status!.containerStatuses![0]!;
const resizeConditions = (pod: Pod) => pod.status!.conditions!.filter(({ type }) => type.startsWith('PodResize')).map(({ type, reason, message }) => [type, reason, message]);
const limits = async (agent: AgentFixture, name: string) => (await agent.runtime.list()).find(({ podName }) => podName === name)!.containers.at(-1)!.limits;
const has = (cpu: string) => (pod: Pod): string | undefined => (main(pod).resources?.requests?.['cpu'] === cpu && resizeConditions(pod).length === 0 ? undefined : `has not ${cpu} of CPU`);
const isPending = (reason: string) => (pod: Pod): string | undefined => (resizeConditions(pod)[0]?.[1] === reason ? undefined : `is not ${reason}`);

test('a running container gets other resources without a restart', async (t) => {
  const agent = await begun(t);
  const before = await running(agent, 'p', { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '64Mi' } });
  t.deepEqual(main(before).resources, { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '64Mi' } });
  await resize(agent, 'p', { requests: { cpu: '500m', memory: '96Mi' }, limits: { cpu: '1', memory: '128Mi' } });
  const after = await agent.until('p', has('500m'));
  t.like(main(after), { containerID: main(before).containerID, restartCount: 0, ready: true, allocatedResources: { cpu: '500m', memory: '96Mi' }, resources: { limits: { cpu: '1', memory: '128Mi' } } });
  t.deepEqual(await limits(agent, 'p'), { cpuShares: 512, cpuQuotaMicros: 100_000, memoryBytes: 128 * 2 ** 20 });
});

test('a restart for other resources comes under OnFailure also where the container answers TERM with success', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('web:1', { runs: [{ termCode: 0 }] });
  await running(agent, 'p', { limits: { memory: '256Mi' } }, { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }, { restartPolicy: 'OnFailure', terminationGracePeriodSeconds: 10 });
  await resize(agent, 'p', { requests: { memory: '100Mi' }, limits: { memory: '128Mi' } });
  t.is((await agent.until('p', (pod) => (main(pod).restartCount === 1 && main(pod).state?.running !== undefined ? undefined : 'has not been restarted'))).status?.phase, 'Running');
});

test('a container that asks for a restart gets other resources by one', async (t) => {
  const agent = await begun(t);
  const before = await running(agent, 'p', { limits: { memory: '256Mi' } }, { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] });
  await resize(agent, 'p', { requests: { memory: '100Mi' }, limits: { memory: '128Mi' } });
  const after = await agent.until('p', (pod) => (main(pod).restartCount === 1 && main(pod).state?.running !== undefined ? undefined : 'has not been restarted'));
  t.not(main(after).containerID, main(before).containerID);
  t.is((await limits(agent, 'p'))?.memoryBytes, 128 * 2 ** 20);
  t.true((await agent.events('p')).includes('Killing'));
});

test('more than is free waits until a pod goes, and more than the node has for ever', async (t) => {
  const agent = await begun(t);
  await running(agent, 'other', { requests: { cpu: '3' } });
  await running(agent, 'p', { requests: { cpu: '500m' } });
  await resize(agent, 'p', { requests: { cpu: '2' } });
  const deferred = await agent.until('p', isPending('Deferred'));
  t.deepEqual(resizeConditions(deferred), [['PodResizePending', 'Deferred', "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"]]);
  t.like(main(deferred), { allocatedResources: { cpu: '500m' }, resources: { requests: { cpu: '500m' } } });

  await agent.stop();
  await agent.start();
  agent.runtime.kill(deferred.metadata.uid ?? '', 'main');
  await agent.until('p', (pod) => (main(pod).restartCount === 1 && main(pod).state?.running !== undefined ? undefined : 'has not been restarted'));
  t.is((await limits(agent, 'p'))?.cpuShares, 512, 'what it was given is kept over a restart of the agent and of the container');

  await agent.api.client.of(Pod).delete({ namespace: 'default', name: 'other' });
  await agent.until('p', has('2'));
  t.is((await limits(agent, 'p'))?.cpuShares, 2048);

  await resize(agent, 'p', { requests: { cpu: '5' } });
  t.deepEqual(resizeConditions(await agent.until('p', isPending('Infeasible'))), [['PodResizePending', 'Infeasible', "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000"]]);
  await resize(agent, 'p', { requests: { cpu: '1' } });
  await agent.until('p', has('1'));
});

test('a memory limit that the container is over already is held back', async (t) => {
  const agent = await begun(t);
  agent.runtime.script('web:1', { runs: [{ usage: () => ({ cpuMilli: 0, memoryBytes: 200 * 2 ** 20 }) }] });
  const before = await running(agent, 'p', { requests: { memory: '64Mi' } });
  await resize(agent, 'p', { requests: { memory: '64Mi' }, limits: { memory: '128Mi' } });
  const held = await agent.until('p', (pod) => (resizeConditions(pod)[0]?.[1] === 'Error' ? undefined : 'is not held back'));
  t.deepEqual(resizeConditions(held), [['PodResizeInProgress', 'Error', 'container main uses 209715200 bytes of memory, and its new limit is 134217728: the limit is lowered when it uses less']]);
  t.is((await limits(agent, 'p'))?.memoryBytes, 0);
  t.is(main(held).resources?.limits, undefined);
  await resize(agent, 'p', { requests: { memory: '64Mi' }, limits: { memory: '256Mi' } });
  const after = await agent.until('p', (pod) => (main(pod).resources?.limits?.['memory'] === '256Mi' ? undefined : 'has no limit'));
  t.like(main(after), { restartCount: 0, containerID: main(before).containerID });
  await becomes(async () => resizeConditions((await agent.pod('p'))!), []);
});
