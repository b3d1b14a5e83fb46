import test, { type ExecutionContext } from 'ava';
import type { AgentReader } from '../../apiserver/metrics/node-summaries.ts';
import type { NewObject } from '../../client/client.ts';
import { isReason } from '../../schemas/errors.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { NodeMetrics } from '../../schemas/kinds/metrics/node-metrics.ts';
import { PodMetrics } from '../../schemas/kinds/metrics/pod-metrics.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { testApi, type TestApi } from '../helpers/api.ts';
import { httpsApi } from '../helpers/https-api.ts';

interface Measured { readonly name: string; readonly uid: string; readonly nanoCores?: number; readonly bytes?: number }

const time = '2026-01-01T00:00:00Z';
const use = (nanoCores: number, bytes: number): object => ({ cpu: { time, usageNanoCores: nanoCores, windowSeconds: 15 }, memory: { time, workingSetBytes: bytes } });
const summary = (nanoCores: number, pods: readonly Measured[]): string => JSON.stringify({
  node: use(nanoCores, 2 ** 30), pods: pods.map(({ name, uid, nanoCores: cpu = 12_345_678, bytes = 3 * 2 ** 20 }) => ({ podRef: { name, namespace: 'default', uid }, containers: [{ name: 'a', ...use(cpu, bytes) }, { name: 'b', ...use(1_000_000, 1_000) }] })),
});

/** Two nodes that answer what `answers` says, by their port, and a third that has not said where it is. */
const begun = async (t: ExecutionContext, answers: Map<number, string | Error>): Promise<TestApi & { readonly asked: number[]; readonly pod: (name: string, nodeName: string, phase?: string) => Promise<string> }> => {
  const asked: number[] = [];
  const agents: AgentReader = async ({ port, path }) => {
    t.is(path, '/stats/summary');
    asked.push(port);
    const answer = answers.get(port) ?? new Error('no answer');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const api = await testApi({ agents, clock: new FakeClock(), namespaces: ['other'] });
  t.teardown(api.close);
  for (const [index, name] of ['n1', 'n2', 'n3'].entries()) {
    await api.client.of(Node).create({ metadata: { name, labels: { zone: index === 0 ? 'a' : 'b' } } });
    if (index < 2) await api.client.of(Node).modifyStatus({ name }, (draft) => { draft.status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: index + 1 } } }; });
  }
  return {
    ...api, asked,
    pod: async (name, nodeName, phase = 'Running') => {
      const { metadata } = await api.client.of(Pod).create({ metadata: { name, namespace: 'default', labels: { app: name } }, spec: { nodeName, containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'i' }] } } as NewObject<Pod>);
      await api.client.of(Pod).modifyStatus({ namespace: 'default', name }, (draft) => { draft.status = { ...draft.status, phase }; });
      return metadata.uid!;
    },
  };
};

test('nodes and pods are listed with what their agents measured', async (t) => {
  const answers = new Map<number, string | Error>();
  const api = await begun(t, answers);
  const [web, db, old] = [await api.pod('web', 'n1'), await api.pod('db', 'n2'), await api.pod('old', 'n2', 'Succeeded')];
  answers.set(1, summary(250_000_000, [{ name: 'web', uid: web }]));
  answers.set(2, summary(1_500_000_000, [{ name: 'db', uid: db, nanoCores: 0 }, { name: 'old', uid: old }, { name: 'web', uid: web, nanoCores: 9e9 }, { name: 'stranger', uid: 'x' }]));
  const pods = api.client.of(PodMetrics);
  const nodes = api.client.of(NodeMetrics);
  t.deepEqual((await nodes.list()).items.map(({ metadata, usage, timestamp, window }) => [metadata.name, metadata.labels, usage, timestamp, window]), [
    ['n1', { zone: 'a' }, { cpu: '250m', memory: '1Gi' }, time, '15s'], ['n2', { zone: 'b' }, { cpu: '1500m', memory: '1Gi' }, time, '15s'],
  ]);
  const all = await pods.list();
  t.is(all.kind, 'PodMetricsList');
  // What node n2 says of a pod that is not on it does not count.
  t.deepEqual(all.items.map(({ metadata: { name, namespace, labels }, containers }) => [name, namespace, labels, containers]), [
    ['db', 'default', { app: 'db' }, [{ name: 'a', usage: { cpu: '0', memory: '3Mi' } }, { name: 'b', usage: { cpu: '1m', memory: '1k' } }]],
    ['web', 'default', { app: 'web' }, [{ name: 'a', usage: { cpu: '12345678n', memory: '3Mi' } }, { name: 'b', usage: { cpu: '1m', memory: '1k' } }]],
  ]);
  t.deepEqual(api.asked, [1, 2]);
  const names = async (options: Parameters<typeof pods.list>[0]): Promise<readonly (string | undefined)[]> => (await pods.list(options)).items.map(({ metadata }) => metadata.name);
  t.deepEqual(await names({ namespace: 'default', labelSelector: 'app in (web,x)' }), ['web']);
  t.deepEqual(await names({ fieldSelector: 'metadata.name=db' }), ['db']);
  t.deepEqual(await names({ namespace: 'other' }), []);
  t.deepEqual((await nodes.list({ labelSelector: 'zone=b' })).items.map(({ metadata }) => metadata.name), ['n2']);
  t.is((await pods.get({ namespace: 'default', name: 'web' })).containers[0]?.usage['cpu'], '12345678n');
  t.true(Object.isFrozen(await nodes.get({ name: 'n1' })));
  for (const key of [{ namespace: 'default', name: 'none' }, { namespace: 'default', name: 'old' }, { namespace: 'other', name: 'web' }]) {
    await t.throwsAsync(pods.get(key), { message: `pods.metrics.k8s.io "${key.name}" not found` });
  }
  await t.throwsAsync(nodes.get({ name: 'n3' }), { message: 'nodes.metrics.k8s.io "n3" not found' });
  await t.throwsAsync(pods.list({ fieldSelector: 'spec.nodeName=n1' }), { message: /not a known field selector|field label not supported/ });
});

test('agents are asked once for all who ask at the same time, and again a little later', async (t) => {
  const answers = new Map<number, string | Error>([[1, summary(1e9, [])], [2, summary(1e9, [])]]);
  const api = await begun(t, answers);
  const nodes = api.client.of(NodeMetrics);
  await Promise.all([nodes.list(), nodes.list(), nodes.get({ name: 'n1' })]);
  t.deepEqual(api.asked.toSorted(), [1, 2]);
  await nodes.list();
  t.is(api.asked.length, 2);
  await api.clock.advance(5_000);
  await nodes.list();
  t.is(api.asked.length, 4);
  // A node that moves is asked where it is now.
  await api.client.of(Node).modifyStatus({ name: 'n1' }, (draft) => { draft.status = { ...draft.status, daemonEndpoints: { kubeletEndpoint: { Port: 7 } } }; });
  await nodes.list();
  t.is(api.asked.at(-1), 7);
});

test('a node that does not answer, or answers nonsense, is left out and left alone for a while', async (t) => {
  const answers = new Map<number, string | Error>([[1, new Error('timeout')], [2, summary(1e9, [])]]);
  const api = await begun(t, answers);
  const names = async () => (await api.client.of(NodeMetrics).list()).items.map(({ metadata }) => metadata.name);
  t.deepEqual(await names(), ['n2']);
  answers.set(1, 'no JSON');
  await api.clock.advance(5_000);
  t.deepEqual(await names(), ['n2']);
  t.deepEqual(api.asked, [1, 2, 2]);
  await api.clock.advance(5_000);
  t.deepEqual(await names(), ['n2']);
  answers.set(1, summary(1e9, []));
  await api.clock.advance(10_000);
  t.deepEqual(await names(), ['n1', 'n2']);
});

test('figures can be read and nothing else, and not where no agent is asked', async (t) => {
  const api = await testApi();
  t.teardown(api.close);
  await t.throwsAsync(api.client.of(NodeMetrics).list(), { message: /does not ask agents/ });
  for (const verb of ['create', 'update', 'patch', 'delete'] as const) {
    const error = await t.throwsAsync(api.transport.send({ verb, group: 'metrics.k8s.io', version: 'v1beta1', resource: 'nodes', name: 'n1', body: {} }));
    t.true(isReason(error, 'MethodNotAllowed'), verb);
  }
});

test('over HTTP the group is found, and shown as tables', async (t) => {
  const api = await httpsApi({ agents: async () => summary(250_000_000, []) });
  t.teardown(api.close);
  await api.client.of(Node).create({ metadata: { name: 'n1' } });
  await api.client.of(Node).modifyStatus({ name: 'n1' }, (draft) => { draft.status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } }; });
  const groups = (await api.call('/apis', { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } })).json<{ items: readonly { metadata: { name: string }; versions: readonly { version: string; resources: readonly { resource: string; verbs: readonly string[] }[] }[] }[] }>();
  const group = groups.items.find(({ metadata }) => metadata.name === 'metrics.k8s.io');
  t.deepEqual(group?.versions.map(({ version, resources }) => [version, resources.map(({ resource, verbs }) => [resource, verbs])]), [['v1beta1', [['nodes', ['get', 'list']], ['pods', ['get', 'list']]]]]);
  t.like((await api.call('/apis/metrics.k8s.io')).json(), { preferredVersion: { version: 'v1beta1' } });
  const table = (await api.call('/apis/metrics.k8s.io/v1beta1/nodes', { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })).json<{ columnDefinitions: readonly { name: string }[]; rows: readonly { cells: readonly unknown[] }[] }>();
  t.deepEqual(table.columnDefinitions.map(({ name }) => name), ['Name', 'CPU', 'Memory', 'Window']);
  t.deepEqual(table.rows.map(({ cells }) => cells), [['n1', '250m', '1024Mi', '15s']]);
  t.like((await api.call('/apis/metrics.k8s.io/v1beta1/nodes/n1')).json(), { kind: 'NodeMetrics', apiVersion: 'metrics.k8s.io/v1beta1', metadata: { name: 'n1' }, usage: { cpu: '250m', memory: '1Gi' } });
  t.is((await api.call('/apis/metrics.k8s.io/v1beta1/nodes?watch=true')).code, 405);
  t.is((await api.call('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods', { as: 'bob' })).code, 403);
});
